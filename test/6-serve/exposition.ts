/**
 * A strict reader of the Prometheus text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats), with what
 * `promtool check metrics` asks for besides: help for each metric, counters that end in `_total`, base units.
 */
import assert from 'node:assert/strict'

export interface Series {
  type: string
  /** Value by series, written as `name{label="value",…}`. */
  values: Map<string, number>
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/y
const TYPES = new Set(['counter', 'gauge', 'histogram', 'summary', 'untyped'])

/** Metrics by name. Throws for what a scraper, or a strict reviewer of one, would not take. */
export function readExposition(text: string): Map<string, Series> {
  assert.ok(text.endsWith('\n'), 'the last line does not end')
  const metrics = new Map<string, Series>()
  let helped: string | undefined
  let current: string | undefined
  for (const line of text.slice(0, -1).split('\n')) {
    const help = /^# HELP (\S+) (\S.*)$/.exec(line)
    const type = /^# TYPE (\S+) (\S+)$/.exec(line)
    if (help) {
      helped = help[1]!
      current = undefined
      assert.match(helped, NAME)
      assert.ok(!metrics.has(helped), `${helped} comes in two places`)
    } else if (type) {
      const [, name = '', kind = ''] = type
      assert.equal(name, helped, 'TYPE follows the HELP of its metric')
      assert.ok(TYPES.has(kind), `${kind} is no type`)
      assert.equal(kind === 'counter', name.endsWith('_total'), `${name} is a ${kind}`)
      assert.doesNotMatch(name, /_(ms|milliseconds|minutes|kb|mb|percent)(_|$)/, 'base units')
      metrics.set(name, { type: kind, values: new Map() })
      current = name
    } else {
      assert.ok(current !== undefined, `"${line}" stands before its TYPE`)
      readSample(line, current, metrics.get(current)!)
    }
  }
  for (const [name, { values }] of metrics) assert.ok(values.size > 0, `${name} has no sample`)
  return metrics
}

function readSample(line: string, metric: string, { type, values }: Series): void {
  const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? assert.fail(`no sample: "${line}"`)
  const names = type === 'summary' ? [`${metric}_sum`, `${metric}_count`] : [metric]
  assert.ok(names.includes(name), `${name} stands among ${metric}`)
  assert.match(value, /^(?:NaN|[+-]Inf|[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/)
  if (type !== 'gauge') assert.ok(Number(value) >= 0, `${line} counts below nothing`)
  const series = `${name}${labels === '' ? '' : `{${sortedLabels(labels)}}`}`
  assert.ok(!values.has(series), `${series} comes twice`)
  values.set(series, Number(value))
}

function sortedLabels(text: string): string {
  const labels: string[] = []
  for (LABEL.lastIndex = 0; LABEL.lastIndex < text.length;) {
    const at = LABEL.lastIndex
    const [, name = '', value = ''] = LABEL.exec(text) ?? assert.fail(`no label at ${at} of {${text}}`)
    assert.ok(!name.startsWith('__'), `${name} is reserved`)
    labels.push(`${name}="${value}"`)
  }
  assert.equal(
    new Set(labels.map((label) => label.split('=')[0])).size,
    labels.length,
    `a label twice: {${text}}`,
  )
  return labels.toSorted().join(',')
}
