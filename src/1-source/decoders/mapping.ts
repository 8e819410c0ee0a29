/** What the configuration says of topics and fields that no decoder knows. */

/** One value: where it stands in the message, what it is, and in which unit. */
export interface FieldMapping {
  /** Path in the JSON, levels parted by points (`sensor.temp`, `phases.0.power`); `''` is the whole message. */
  from: string
  /** `temperature`, `power_usage`, `energy_consumption_wh`, `energy_total_wh`, `timestamp`, `status`, or `metrics.<name>`. */
  to: string
  /** As written by the device; absent: the platform's unit. */
  unit?: string
  /** −1 where the device counts the other way round (an inverter that reports what it makes as positive). */
  sign?: 1 | -1
  channel?: string
}

/** Messages of one kind. */
export interface Mapping {
  /** MQTT topic filter (`+`, `#`); `{device}` is a level that names the device. */
  topic: string
  /** Device id, where the topic does not name it; `json:<path>` takes it from the message. */
  device?: string
  device_type?: string
  manufacturer?: string
  model?: string
  fields: readonly FieldMapping[]
}

/** A mapping that fits a message, with what it would have read; a person confirms it. */
export interface MappingProposal {
  mapping: Mapping
  /** The value of each field in the message. */
  sample: Readonly<Record<string, number | string>>
}
