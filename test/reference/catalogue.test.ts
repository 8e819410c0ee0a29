import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCatalogueCsv } from '../../src/reference/catalogue.ts'

const HEADER =
  'device_id,device_type,user_id,location,installation_date,manufacturer,model,tenant_id,rated_power_w,expected_interval_s,energy_source,parent_device_id'

test('reads every column; an absent home is "home"', () => {
  const { rows, notices } = parseCatalogueCsv(
    '\uFEFFdevice_id,model,location,rated_power_w\r\nplug-1,"P ""one"", 16 A","Kitchen,\r\nleft",3680.5\r\n\r\n',
    'c.csv',
  )
  assert.deepEqual(notices, [])
  assert.deepEqual(rows, [
    {
      tenant_id: 'home',
      device_id: 'plug-1',
      device_type: null,
      user_id: null,
      location: 'Kitchen,\r\nleft',
      installation_date: null,
      manufacturer: null,
      model: 'P "one", 16 A',
      rated_power_w: 3680.5,
      expected_interval_s: null,
      energy_source: null,
      parent_device_id: null,
    },
  ])
})

test('a header alone is a catalogue without devices', () => {
  assert.deepEqual(parseCatalogueCsv(HEADER, 'c.csv').rows, [])
})

for (const [fault, text, place] of [
  ['no header', '', /c\.csv is empty/],
  ['unknown column', 'device_id,colour\n', /line 1, column 2: unknown column "colour"/],
  ['column twice', 'device_id,model,model\n', /line 1: column "model" occurs twice/],
  ['no device column', 'model\n', /line 1: column "device_id" is missing/],
  ['semicolons', 'device_id;model\n', /line 1: the columns are not separated by commas/],
  ['too few fields', 'device_id,model\n"a\nb",m\nc\n', /line 4: 1 fields, but the header has 2/],
  ['open quote', 'device_id,model\na,"m\n', /line 2: a quoted field is never closed/],
  ['text after quote', 'device_id,model\na,"m"x\n', /line 2: text follows the closing quote/],
  ['empty device', 'device_id,model\n,m\n', /line 2, column device_id: it is empty/],
  ['no date', 'device_id,installation_date\na,2026-02-30\n', /line 2, column installation_date/],
  ['no number', 'device_id,rated_power_w\na,1kW\n', /line 2, column rated_power_w: "1kW"/],
  ['interval of zero', 'device_id,expected_interval_s\na,0\n', /line 2, column expected_interval_s/],
  ['no source', 'device_id,energy_source\na,meter\n', /line 2, column energy_source: "meter"/],
  ['device twice', 'device_id\na\nb\na\n', /line 4, column device_id: .* already in line 2/],
  ['circle', 'device_id,parent_device_id\na,b\nb,c\nc,a\n', /line 2, .*circle: a → b → c → a/],
  ['own parent', 'device_id,parent_device_id\na,a\n', /circle: a → a/],
] as const) {
  test(`refuses a catalogue with ${fault}`, () => {
    assert.throws(() => parseCatalogueCsv(text, 'c.csv'), { code: 'config_invalid', message: place })
  })
}

test('a parent that is not listed is a notice; the same id in another home is another device', () => {
  const { rows, notices } = parseCatalogueCsv(
    'device_id,tenant_id,parent_device_id\na,,mains\nmains,other,\n',
    'c.csv',
  )
  assert.equal(rows.length, 2)
  assert.deepEqual(notices, [
    'c.csv, line 2, column parent_device_id: the parent "mains" of "a" is not in the catalogue.',
  ])
})

test('lines of one device by period: in order, each up to the next, in the days of the house', () => {
  const { rows, periods } = parseCatalogueCsv(
    'device_id,location,rated_power_w,valid_from,valid_to\nplug,cellar,200,2026-03-29,\nplug,attic,100,,\nplug,hall,300,2026-06-01,2026-07-01\nlamp,hall,,,\n',
    'c.csv',
    'Europe/Berlin',
  )
  assert.deepEqual(
    periods.map(({ device_id, location, valid_from, valid_to }) => [
      device_id,
      location,
      valid_from,
      valid_to,
    ]),
    [
      // Berlin is one hour ahead of UTC until the 29th of March, two from then on.
      ['plug', 'attic', '1970-01-01T00:00:00Z', '2026-03-28T23:00:00Z'],
      ['plug', 'cellar', '2026-03-28T23:00:00Z', '2026-05-31T22:00:00Z'],
      ['plug', 'hall', '2026-05-31T22:00:00Z', '2026-06-30T22:00:00Z'],
    ],
  )
  // What does not go by time is that of the newest line; the lamp has no periods.
  assert.deepEqual(
    rows.map(({ device_id, rated_power_w }) => [device_id, rated_power_w]),
    [
      ['plug', 300],
      ['lamp', null],
    ],
  )
  const header = 'device_id,valid_from,valid_to\n'
  for (const [lines, told] of [
    ['plug,2026-01-01,2025-01-01', /line 2, column valid_to: 2025-01-01 lies before it begins/],
    ['plug,2026-13-01,', /column valid_from: "2026-13-01" is no date/],
    [
      'plug,,2026-02-01\nplug,2026-01-01,',
      /line 2, column valid_to: the line 3 of the same device begins on 2026-01-01/,
    ],
    ['plug,2026-01-01,\nplug,2026-01-01,', /line 3, column device_id: .* is listed already in line 2/],
  ] as const)
    assert.throws(() => parseCatalogueCsv(header + lines, 'c.csv'), { code: 'config_invalid', message: told })
})
