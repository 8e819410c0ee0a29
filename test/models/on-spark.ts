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
  readonly #kept = new Map<string, string>()
  readonly ran = new Set<string>()

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

  /** The Parquet files that Spark has written of a result, as a path with a wildcard. */
  files(name: string): string {
    return join(this.#warehouse, this.#kept.get(name)!, '*.parquet')
  }

  /** Reference tables and constants. */
  async loadReference(): Promise<void> {
    await this.ask(MUL_DIV)
    await this.constants()
    await this.#keep('type_limits', typeRowsSql(typeRows([])))
    for (const name of ['catalogue', 'tariffs'])
      await this.#keep(name, `SELECT * FROM ${this.lake(`reference.${name}`)}`)
    await this.#keep('periods', `SELECT * FROM ${this.lake('reference.catalogue_periods')}`)
    await this.#keep('corrections', `SELECT * FROM ${this.lake('reference.corrections')}`)
  }

  /** The rules' constants; one may be another than ours. */
  async constants(changed: Readonly<Record<string, number>> = {}): Promise<void> {
