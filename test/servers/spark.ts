/** Spark with Delta, in a JVM of its own: nothing but Java 17 and jars from Maven Central. */
import { cpSync, readdirSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startAnswering, type Answering } from './answering.ts'
import { folderOf, runToEnd, type Installation } from './installed.ts'

const here = (name: string): string => fileURLToPath(new URL(`./spark/${name}`, import.meta.url))

/** The versions stand in `spark/pom.xml`, too: these two fit together. */
export const SPARK: Installation = {
  name: 'spark-4.2.0-delta-4.4.0',
  install(folder) {
    cpSync(here('pom.xml'), join(folder, 'pom.xml'))
    const words = [
      '-q',
      '-B',
      'dependency:copy-dependencies',
      '-DincludeScope=runtime',
      '-DoutputDirectory=lib',
    ]
    runToEnd('mvn', words, folder)
  },
}

/** Packages of Java that Spark reaches into; the list is the one of its own launcher. */
const OPENED = [
  'lang',
  'lang.invoke',
  'lang.reflect',
  'io',
  'net',
  'nio',
  'util',
  'util.concurrent',
  'util.concurrent.atomic',
].map((name) => `java.base/java.${name}`)
const OPENED_INSIDE = [
  'jdk.internal.ref',
  'sun.nio.ch',
  'sun.nio.cs',
  'sun.security.action',
  'sun.util.calendar',
].map((name) => `java.base/${name}`)

const SETTINGS: Readonly<Record<string, string>> = {
  'spark.master': 'local[2]',
  'spark.driver.host': '127.0.0.1',
  'spark.driver.bindAddress': '127.0.0.1',
  'spark.ui.enabled': 'false',
  'spark.log.level': 'ERROR',
  'spark.sql.catalogImplementation': 'in-memory',
  'spark.sql.extensions': 'io.delta.sql.DeltaSparkSessionExtension',
  'spark.sql.catalog.spark_catalog': 'org.apache.spark.sql.delta.catalog.DeltaCatalog',
  'spark.sql.session.timeZone': 'UTC',
  'spark.sql.parquet.outputTimestampType': 'TIMESTAMP_MICROS',
  // The data is small and the questions are many: compiling each query, and planning it again while it runs, would take longer than
  // running it.
  'spark.sql.adaptive.enabled': 'false',
  'spark.sql.shuffle.partitions': '1',
  // Of each question it keeps a description for its own pages, which nobody opens here.
  'spark.sql.ui.explainMode': 'simple',
  'spark.sql.maxPlanStringLength': '1000',
  'spark.databricks.delta.snapshotPartitions': '1',
  'spark.sql.codegen.wholeStage': 'false',
  'spark.sql.codegen.factoryMode': 'NO_CODEGEN',
}

/** The great jars first: Java looks for each class in one jar after the other, and there are two hundred of them. */
function classPath(): string {
  const lib = join(folderOf(SPARK), 'lib')
  const jars = readdirSync(lib).map((name) => ({
    jar: join(lib, name),
    bytes: statSync(join(lib, name)).size,
  }))
  const great = jars.toSorted((a, b) => b.bytes - a.bytes).slice(0, 16)
  return [...great.map(({ jar }) => jar), join(lib, '*')].join(delimiter)
}

/** Questions: the text of a statement, one after the other; `SET` changes a setting for those that follow. */
export function startSpark(settings: Readonly<Record<string, string>> = {}): Answering {
  const words = [
    '-XX:TieredStopAtLevel=1',
    // Its queries become many small classes. In the 48 MB of one compiler the JVM would soon throw code away and compile it again.
    '-XX:ReservedCodeCacheSize=256m',
    '-XX:-UseCodeCacheFlushing',
    '-XX:+UseSerialGC',
    // Room for its classes and for what a question leaves, so that nothing is collected over and over while they grow.
    '-XX:MetaspaceSize=512m',
    '-Xms1g',
    '-Xmx1g',
    '-Xmn512m',
    ...[...OPENED, ...OPENED_INSIDE].map((name) => `--add-opens=${name}=ALL-UNNAMED`),
    '-Djdk.reflect.useDirectMethodHandle=false',
    '-Dio.netty.tryReflectionSetAccessible=true',
    '-cp',
    classPath(),
    here('Sql.java'),
    ...Object.entries({ ...SETTINGS, ...settings }).map(([key, value]) => `${key}=${value}`),
  ]
  // What it leaves in its working folder stays out of the project.
  return startAnswering('java', words, folderOf(SPARK))
}
