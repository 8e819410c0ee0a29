/** The rebuild's models, run on Spark in the order of the rebuild: the files unchanged, the glue between them in Spark's words. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CHANNEL_STATE_COLUMNS, HOUR_COLUMNS } from '../../src/4-silver/models.ts'
import { CONSTANTS } from '../../src/4-silver/rules.ts'
import { typeRows, typeRowsSql } from '../../src/4-silver/rules-in-force.ts'
import type { Answering, Row } from '../servers/answering.ts'
import { LATE_WATERMARK_HOURS, ZONE } from './week.ts'

/** Where the tables lie, by name. */
export type Folders = (table: string) => string

/** What DuckDB's prelude gives our engine, in Spark's words. */
const MUL_DIV = `CREATE OR REPLACE TEMPORARY FUNCTION mul_div(a BIGINT, b BIGINT, c BIGINT) RETURNS BIGINT
  RETURN CAST(CAST(a AS DECIMAL(19, 0)) * CAST(b AS DECIMAL(19, 0)) DIV CAST(nullif(c, 0) AS DECIMAL(19, 0)) AS BIGINT)`

const INT_DIV = `CREATE OR REPLACE TEMPORARY FUNCTION int_div(a BIGINT, b BIGINT) RETURNS BIGINT
  RETURN a DIV nullif(b, 0)`

const FILLED = `CREATE OR REPLACE TEMPORARY FUNCTION filled(t STRING) RETURNS STRING
  RETURN CASE WHEN trim(t) <> '' THEN t END`

/** The runner numbers arrivals in the order in which the model gives them. */
const ARRIVALS = `SELECT row_number() OVER (
    ORDER BY device_no NULLS LAST, timestamp NULLS LAST,
      ingestion_time, stream_topic, stream_partition, stream_offset, stream_index
  ) AS seq, * FROM arrivals_in_order`

export class SparkModels {
  readonly #spark: Answering
  readonly #folders: Folders
  readonly #warehouse: string
  readonly ran = new Set<string>()
  #count = 0

  constructor(spark: Answering, folders: Folders, warehouse: string) {
    this.#spark = spark
    this.#folders = folders
    this.#warehouse = warehouse
  }

  ask(sql: string): Promise<Row[]> {
    return this.#spark.ask(sql)
  }

  /** A table of the lake as Spark reads it. */
  lake(table: string): string {
    return `delta.\`${this.#folders(table)}\``
  }

  /** Lets Spark write a result as Parquet files: their path, with a wildcard. */
  async files(name: string): Promise<string> {
    const kept = `kept_${(this.#count += 1)}`
    await this.ask(`CREATE TABLE ${kept} USING parquet AS SELECT * FROM ${name}`)
    return join(this.#warehouse, kept, '*.parquet')
  }

  /** Reference tables and constants. */
  async loadReference(): Promise<void> {
    await this.ask(MUL_DIV)
    await this.ask(INT_DIV)
    await this.ask(FILLED)
    await this.constants()
    await this.#keep('type_limits', typeRowsSql(typeRows([])))
    for (const name of ['catalogue', 'tariffs'])
      await this.#keep(name, `SELECT * FROM ${this.lake(`reference.${name}`)}`)
    await this.#keep('periods', `SELECT * FROM ${this.lake('reference.catalogue_periods')}`)
    await this.#keep('corrections', `SELECT * FROM ${this.lake('reference.corrections')}`)
  }

  /** The rules' constants; one may be another than ours. */
  async constants(changed: Readonly<Record<string, number>> = {}): Promise<void> {
    const constants = {
      ...CONSTANTS,
      late_watermark_us: LATE_WATERMARK_HOURS * 3_600_000_000,
      ...changed,
    }
    const columns = Object.entries(constants).map(
      ([name, value]) => `CAST(${value} AS ${Number.isInteger(value) ? 'BIGINT' : 'DOUBLE'}) AS ${name}`,
    )
    await this.#view('constants', `SELECT ${columns.join(', ')}`)
  }

  /** From `bronze.telemetry` to `readings`, `rejects` and `duplicates`. */
  async silver(): Promise<void> {
    // No device is merged into another here.
    await this.#keep('landed', `SELECT * FROM ${this.lake('bronze.telemetry')}`)
    await this.#view(
      'numbers',
      none('channel_no INTEGER, device_no INTEGER, tenant_id STRING, device_id STRING, channel STRING'),
    )
    await this.#view('carried', none(CHANNEL_STATE_COLUMNS))
    await this.#view('hour_before', none(HOUR_COLUMNS))
    for (const name of ['numbers', 'channels', 'described']) await this.#silverModel(name)
    await this.#silverModel('arrivals', 'arrivals_in_order')
    await this.#keep('arrivals', ARRIVALS)
    for (const name of ['corrected', 'checked']) await this.#silverModel(name)
    await this.#view('candidates', 'SELECT * FROM checked WHERE reject_reason IS NULL')
    await this.#silverModel('repeated')
    await this.#silverModel('owners_first', 'owned')
    for (;;) {
      await this.#silverModel('owners_next', 'next')
      const [found] = await this.ask('SELECT count(*) AS n FROM next')
      if (found?.['n'] === 0) break
      await this.#keep('owned', 'SELECT * FROM owned UNION ALL SELECT * FROM next')
    }
    for (const name of ['resolved', 'accepted', 'measured', 'methods', 'counter_rows', 'counter_steps'])
      await this.#silverModel(name)
    for (const name of ['holds', 'energy', 'channel_state']) await this.#silverModel(name)
    await this.#view(
      'hour_rows',
      `SELECT CAST(seq AS BIGINT) AS seq, channel_no, device_no, t_us, temperature_mc, power_mw, has_alert FROM accepted
       UNION ALL SELECT 0, * FROM hour_before`,
    )
    for (const name of ['windows', 'alarms', 'readings', 'rejects', 'duplicates'])
      await this.#silverModel(name)
  }

  /** Of `readings` some columns once more, with the constants of now, as `readings_again`. */
  async again(columns: readonly string[]): Promise<void> {
    await this.#keep(
      'readings_again',
      `SELECT ${columns.join(', ')} FROM (${modelSql('4-silver', 'readings')})`,
    )
  }

  /** From `readings` and `rejects` to the Gold tables, every day of every device at once. */
  async gold(): Promise<void> {
    // The runner numbers its rows; which number is which does not matter.
    await this.#keep(
      'readings',
      'SELECT row_number() OVER (ORDER BY stream_offset) AS row_id, * FROM readings',
    )
    await this.#keep('calendar', `SELECT * FROM ${this.lake('gold.calendar')} WHERE zone = '${ZONE}'`)
    await this.#keep(
      'touched_days',
      `WITH devices AS (
         SELECT tenant_id, device_id FROM readings
         UNION SELECT coalesce(tenant_id, 'home'), device_id FROM rejects WHERE trim(device_id) <> ''
       ), days AS (
         SELECT date, month, min(unix_micros(quarter_hour)) AS start_us, max(unix_micros(quarter_hour)) + 900000000 AS end_us
         FROM calendar GROUP BY date, month
       ), bounds AS (
         SELECT min(unix_micros(timestamp)) - 604800000000 AS from_us, max(unix_micros(ingestion_time)) + 604800000000 AS to_us
         FROM readings
       )
       SELECT d.tenant_id, d.device_id, a.date, a.month, a.start_us, a.end_us
       FROM devices d JOIN bounds b JOIN days a ON a.end_us > b.from_us AND a.start_us < b.to_us`,
    )
    await this.#view(
      'touched_spans',
      `SELECT tenant_id, device_id, date, start_us AS day_start_us, end_us AS day_end_us, start_us AS from_us, end_us AS to_us
       FROM touched_days`,
    )
    for (const name of [
      'device_rows',
      'energy_parts',
      'quarter_hourly_energy',
      'device_slots',
      'channel_alerts',
    ])
      await this.#goldModel(name)
    await this.#goldModel('alerts_before')
    await this.#keep('channel_alerts', 'SELECT * FROM channel_alerts WHERE date IS NOT NULL')
    await this.#view(
      'day_times',
      `SELECT tenant_id, device_id, date, day_start_us, channel, slot_us, t_us, offline, channel_previous_us, device_previous_us
       FROM device_rows WHERE date IS NOT NULL`,
    )
    for (const name of [
      'channel_medians',
      'expected_intervals',
      'channel_times',
      'interval_slots',
      'device_days',
    ])
      await this.#goldModel(name)
    for (const name of ['hourly_energy', 'daily_energy_consumption', 'device_health_metrics'])
      await this.#goldModel(name)
    for (const name of ['daily_business_summary', 'monthly_energy', 'sum_invariants'])
      await this.#goldModel(name)
  }

  #silverModel(name: string, table = name): Promise<void> {
    return this.#model('4-silver', name, table)
  }

  #goldModel(name: string): Promise<void> {
    return this.#model('5-gold', name, name)
  }

  async #model(folder: string, name: string, table: string): Promise<void> {
    const sql = modelSql(folder, name)
    this.ran.add(`${folder}/${name}`)
    try {
      await this.#keep(table, sql)
    } catch (error) {
      throw new Error(`${name}.sql on Spark`, { cause: error })
    }
  }

  /** Computed once and kept in Spark's memory; a name that was there before means this from now on. */
  async #keep(name: string, sql: string): Promise<void> {
    await this.#spark.ask({ keep: name, sql })
  }

  async #view(name: string, sql: string): Promise<void> {
    await this.ask(`CREATE OR REPLACE TEMPORARY VIEW ${name} AS ${sql}`)
  }
}

function modelSql(folder: string, name: string): string {
  return readFileSync(new URL(`../../src/${folder}/${name}.sql`, import.meta.url), 'utf8')
}

/** No row of some columns, given as `name TYPE, …`. */
function none(columns: string): string {
  const nulls = columns.split(', ').map((column) => {
    const [name, type] = column.split(' ')
    return `CAST(NULL AS ${type === 'INTEGER' ? 'INT' : type}) AS ${name}`
  })
  return `SELECT ${nulls.join(', ')} WHERE false`
}
