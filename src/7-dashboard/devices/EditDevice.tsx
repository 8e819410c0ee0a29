/** What a person says of a device: its name, room and type; that it is another one; that it is out of use. */
import { useState } from 'react'
import type { FormEvent } from 'react'
import type { DeviceRow } from '../../6-serve/contract.ts'
import { humanize } from '../format.ts'
import { StateWord } from '../kit/Figure.tsx'
import { Sheet } from '../kit/popups.tsx'
import { isPast } from './order.ts'
import { BUTTON, FIELD } from './parts.tsx'
import { texts } from './texts.ts'
import { nameOf, useChange } from './useDevices.ts'

const { edit: words } = texts

interface Props {
  device: DeviceRow
  data: { devices?: readonly DeviceRow[]; can_change: boolean }
  close: () => void
}

export default function EditDevice({ device, data, close }: Props) {
  const change = useChange()
  const others = (data.devices ?? []).filter((other) => other.device_id !== device.device_id)
  return (
    <Sheet title={nameOf(device)} open close={close}>
      {data.can_change ? (
        <div className="grid gap-4">
          <Form device={device} others={others} change={change} />
          <Outcome change={change} />
          <Fate device={device} others={others} change={change} />
        </div>
      ) : (
        <p className="text-xs text-muted">{words.readOnly}</p>
      )}
    </Sheet>
  )
}

type Change = ReturnType<typeof useChange>
interface PartProps {
  device: DeviceRow
  others: readonly DeviceRow[]
  change: Change
}

function Outcome({ change }: { change: Change }) {
  return (
    <div role="status" className="min-h-6 text-xs">
      {change.isSuccess && (
        <StateWord tone="ok" icon="ok">
          <span className="whitespace-normal">{words.saved(change.data.catalogue_version)}</span>
        </StateWord>
      )}
      {change.isError && (
        <StateWord tone="bad" icon="bad">
          <span className="whitespace-normal">{change.error.message}</span>
        </StateWord>
      )}
    </div>
  )
}

function Form({ device, others, change }: PartProps) {
  const [name, setName] = useState(device.name ?? '')
  const [room, setRoom] = useState(device.location ?? '')
  const [type, setType] = useState(device.device_type ?? '')
  const fields = { name, location: room, device_type: type }
  // Only what was touched is said: the rest goes on to follow what the device or the file says.
  const changed = Object.fromEntries(
    Object.entries(fields)
      .filter(([key, value]) => value.trim() !== (device[key as keyof typeof fields] ?? ''))
      .map(([key, value]) => [key, value.trim() || null]),
  )
  function save(event: FormEvent): void {
    event.preventDefault()
    change.mutate({ device: device.device_id, ...changed })
  }
  return (
    <form className="grid gap-3" onSubmit={save}>
      <Field label={words.name} value={name} set={setName} />
      <Field label={words.room} value={room} set={setRoom} choices={valuesOf(others, 'location')} />
      <Field label={words.type} value={type} set={setType} choices={valuesOf(others, 'device_type')} />
      <p className="text-xs text-muted">{words.hint}</p>
      <button
        type="submit"
        className={`${BUTTON} border-accent bg-accent text-on-accent hover:bg-accent`}
        disabled={Object.keys(changed).length === 0 || change.isPending}
      >
        {change.isPending ? words.saving : words.save}
      </button>
    </form>
  )
}

function valuesOf(devices: readonly DeviceRow[], field: 'location' | 'device_type'): string[] {
  return [...new Set(devices.flatMap((device) => device[field] ?? []))].toSorted()
}

function Field(props: {
  label: string
  value: string
  set: (value: string) => void
  choices?: readonly string[]
}) {
  const list = `choices-${props.label}`
  return (
    <label className="grid gap-1 text-xs font-medium">
      {props.label}
      <input
        className={FIELD}
        value={props.value}
        maxLength={200}
        list={props.choices ? list : undefined}
        onChange={(event) => props.set(event.target.value)}
      />
      {props.choices && (
        <datalist id={list}>
          {props.choices.map((choice) => (
            <option key={choice} value={choice}>
              {humanize(choice)}
            </option>
          ))}
        </datalist>
      )}
    </label>
  )
}

/** Merging and retiring, both of which can be undone. */
function Fate({ device, others, change }: PartProps) {
  const [into, setInto] = useState('')
  const id = device.device_id
  const today = new Date().toISOString().slice(0, 10)
  return (
    <details className="border-t border-line pt-3" open={isPast(device)}>
      <summary className="target cursor-pointer text-xs font-medium">{words.more}</summary>
      <div className="mt-3 grid gap-4">
        {device.merged_into !== null ? (
          <button
            type="button"
            className={BUTTON}
            onClick={() => change.mutate({ device: id, merged_into: null })}
          >
            {words.mergeUndo}
          </button>
        ) : (
          <div className="grid gap-1">
            <label className="grid gap-1 text-xs font-medium">
              {words.merge}
              <select className={FIELD} value={into} onChange={(event) => setInto(event.target.value)}>
                <option value="">{words.mergeNone}</option>
                {others
                  .filter((other) => other.merged_into === null)
                  .map((other) => (
                    <option key={other.device_id} value={other.device_id}>
                      {nameOf(other)} ({other.device_id})
                    </option>
                  ))}
              </select>
            </label>
            <p className="text-xs text-muted">{words.mergeHint}</p>
            <button
              type="button"
              className={BUTTON}
              disabled={into === '' || change.isPending}
              onClick={() => change.mutate({ device: id, merged_into: into })}
            >
              {words.mergeDo}
            </button>
          </div>
        )}
        <div className="grid gap-1">
          <button
            type="button"
            className={BUTTON}
            disabled={change.isPending}
            onClick={() =>
              change.mutate({ device: id, retired_on: device.retired_on === null ? today : null })
            }
          >
            {device.retired_on === null ? words.retire : words.retireUndo}
          </button>
          <p className="text-xs text-muted">{words.retireHint}</p>
        </div>
      </div>
    </details>
  )
}
