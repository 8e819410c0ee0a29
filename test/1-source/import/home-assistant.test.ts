import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, beforeEach, describe, test } from 'node:test'
import { openImportHouse, type ImportHouse } from './house.ts'
import { importsInto, readingsSince, type Imported, type Refused } from './imported.ts'

let house: ImportHouse
let imported: Imported
let refused: Refused
before(async () => {
  house = await openImportHouse()
  ;({ imported, refused } = importsInto(house))
})
after(() => house.remove())
let seen = 0
beforeEach(async () => {
  seen = (await house.readings()).length
})

describe('Home Assistant', () => {
  const HISTORY = [
    'entity_id,state,last_changed',
    'sensor.kettle_power,2000.5,2024-01-15T10:00:00.123Z',
    'sensor.kettle_energy,12.5,2024-01-15T10:00:01.000Z',
    'sensor.kettle_power,unavailable,2024-01-15T10:01:00.000Z',
    'sensor.hall_temperature,unknown,2024-01-15T10:01:00.000Z',
    'sensor.hall_temperature,20.5,2024-01-15T10:02:00.000Z',
    'binary_sensor.hall_motion,on,2024-01-15T10:02:00.000Z',
    'weather.home,sunny,2024-01-15T10:02:00.000Z',
    '',
  ].join('\n')

  test('a history as CSV: an entity is a device; an energy without a unit is asked', async () => {
    await refused(HISTORY, {}, /unit of the energy of sensor.kettle_energy.*--unit kWh/)
    const words: unknown[] = []
    const path = house.file('history.csv', HISTORY)
    const report = await house.import(path, {
      units: ['kWh'],
      onDevices: async (devices) => void words.push(...devices),
    })
    const readings = await readingsSince(house, seen)
    assert.deepEqual(
      readings.map(({ device_id, timestamp, ...rest }) => [device_id, timestamp, rest]),
      [
        ['sensor.kettle_power', '2024-01-15T10:00:00.123Z', { power_usage: 2000.5 }],
        ['sensor.kettle_energy', '2024-01-15T10:00:01Z', { energy_total_wh: 12_500 }],
        ['sensor.hall_temperature', '2024-01-15T10:02:00Z', { temperature: 20.5 }],
        ['binary_sensor.hall_motion', '2024-01-15T10:02:00Z', { metrics: { hall_motion: 1 } }],
      ],
    )
    assert.deepEqual([report.unreadable.no_value?.count, report.unreadable.bad_number?.count], [2, 1])
    // Power and counter of one kettle: the house counts it once.
    assert.deepEqual(words, [
      { tenant_id: 'home', device_id: 'sensor.kettle_power', parent_device_id: 'sensor.kettle_energy' },
    ])
    // Mapped as any other table it is one.
    const mapped = await imported('entity_id,state,last_changed\nsensor.x,5,2024-01-15T10:00:00Z\n', {
      map: { power_usage: 'state' },
    })
    assert.deepEqual(mapped, [{ device_id: 'sensor.x', timestamp: '2024-01-15T10:00:00Z', power_usage: 5 }])
  })

  test('the recorder: statistics before the first state, then the states; each in its unit; a counter goes on through both', async () => {
    const path = join(house.dir, 'home-assistant_v2.db')
    const database = new DatabaseSync(path)
    // 1705312800 = 2024-01-15 10:00 UTC. The counter's states are in kWh, its statistics in Wh. The counter's first state is of 12:00, the power has no state any more.
    database.exec(`
      CREATE TABLE states_meta (metadata_id INTEGER PRIMARY KEY, entity_id TEXT);
      CREATE TABLE state_attributes (attributes_id INTEGER PRIMARY KEY, shared_attrs TEXT);
      CREATE TABLE states (state_id INTEGER PRIMARY KEY, metadata_id INTEGER, entity_id TEXT, state TEXT, last_updated_ts REAL, attributes_id INTEGER);
      CREATE TABLE statistics_meta (id INTEGER PRIMARY KEY, statistic_id TEXT, source TEXT, unit_of_measurement TEXT, has_mean INTEGER, has_sum INTEGER);
      CREATE TABLE statistics (id INTEGER PRIMARY KEY, metadata_id INTEGER, start_ts REAL, mean REAL, state REAL, sum REAL);
      INSERT INTO states_meta VALUES (1, 'sensor.meter_energy'), (2, 'sensor.hall_temperature');
      INSERT INTO state_attributes VALUES
        (1, '{"unit_of_measurement":"kWh","device_class":"energy","state_class":"total_increasing","friendly_name":"Meter"}'),
        (2, '{"unit_of_measurement":"°F","device_class":"temperature","state_class":"measurement"}');
      INSERT INTO states VALUES (1, 1, NULL, '102.5', 1705320000.25, 1), (2, 1, NULL, 'unavailable', 1705320060, 1), (3, 2, NULL, '50', 1705320061, 2);
      INSERT INTO statistics_meta VALUES (1, 'sensor.meter_energy', 'recorder', 'Wh', 0, 1), (2, 'sensor.oven_power', 'recorder', 'kW', 1, 0);
      INSERT INTO statistics VALUES (1, 1, 1705312800, NULL, 101000, 1000), (2, 1, 1705316400, NULL, 102000, 2000), (3, 1, 1705320000, NULL, 103000, 3000), (4, 2, 1705312800, 1.5, NULL, NULL);
    `)
    database.close()
    const words: unknown[] = []
    const report = await house.import(path, { onDevices: async (devices) => void words.push(...devices) })
    const readings = await readingsSince(house, seen)
    assert.deepEqual(
      readings.map(({ device_id, timestamp, ...rest }) => [device_id, timestamp, rest]),
      [
        ['sensor.meter_energy', '2024-01-15T11:00:00Z', { energy_total_wh: 101_000 }],
        // An hour of 1.5 kW in the mean: 1,500 Wh.
        ['sensor.oven_power', '2024-01-15T10:00:00Z', { power_usage: 1500 }],
        ['sensor.oven_power', '2024-01-15T11:00:00Z', { energy_consumption_wh: 1500 }],
        ['sensor.meter_energy', '2024-01-15T12:00:00Z', { energy_total_wh: 102_000 }],
        ['sensor.meter_energy', '2024-01-15T12:00:00.25Z', { energy_total_wh: 102_500 }],
        ['sensor.hall_temperature', '2024-01-15T12:01:01Z', { temperature: 10 }],
      ],
    )
    assert.deepEqual([report.rows, report.taken, report.unreadable.no_value?.count], [6, 5, 1])
    assert.equal((await house.import(path)).appended, 0)
    const other = join(house.dir, 'other.db')
    const empty = new DatabaseSync(other)
    empty.exec('CREATE TABLE t (x)')
    empty.close()
    await assert.rejects(house.import(other), /not the one of Home Assistant/)
  })
})
