import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { EventTimes, findDateOrder, openZone } from '../../../src/1-source/import/times.ts'

const berlin = openZone('Europe/Berlin')
const parseAll = (times: string[], descending = false): (string | undefined)[] => {
  const events = new EventTimes(berlin, 'dmy', descending)
  return times.map((time) => events.parse(time, 'device'))
}

describe('times of imported rows', () => {
  test('clock times of a zone, winter and summer', () => {
    // Berlin is one hour ahead of UTC in winter, two in summer.
    assert.deepEqual(
      parseAll(['2012-01-15 00:00:05', '15/07/2012 12:00:00', '2012.07.15T12:00', '15.1.12 1:02:03,25 pm']),
      ['2012-01-14T23:00:05Z', '2012-07-15T10:00:00Z', '2012-07-15T10:00:00Z', '2012-01-15T12:02:03.25Z'],
    )
  })

  test('spring: the hour that is left out is taken as if the clock had not been changed yet', () => {
    // 2016-03-27: 01:59:59 +01:00 is followed by 03:00:00 +02:00.
    assert.deepEqual(parseAll(['2016-03-27 01:59:59', '2016-03-27 02:30:00', '2016-03-27 03:00:00']), [
      '2016-03-27T00:59:59Z',
      '2016-03-27T01:30:00Z',
      '2016-03-27T01:00:00Z',
    ])
  })

  test('autumn: the repeated hour is the first one until time runs back, then the second', () => {
    // 2016-10-30: 02:59:59 +02:00 is followed by 02:00:00 +01:00.
    assert.deepEqual(
      parseAll(
        [
          '30/10/2016 01:45',
          '30/10/2016 02:00',
          '30/10/2016 02:30',
          '30/10/2016 02:29',
          '30/10/2016 02:45',
        ].concat(['30/10/2016 02:00', '30/10/2016 02:15', '30/10/2016 02:45', '30/10/2016 03:00']),
      ),
      [
        '2016-10-29T23:45:00Z',
        '2016-10-30T00:00:00Z',
        '2016-10-30T00:30:00Z',
        '2016-10-30T00:29:00Z', // a minute out of order is no clock change
        '2016-10-30T00:45:00Z',
        '2016-10-30T01:00:00Z',
        '2016-10-30T01:15:00Z',
        '2016-10-30T01:45:00Z',
        '2016-10-30T02:00:00Z',
      ],
    )
  })

  test('autumn in a file that goes backwards', () => {
    assert.deepEqual(
      parseAll(
        ['30/10/2016 03:00', '30/10/2016 02:30', '30/10/2016 02:00', '30/10/2016 02:30', '30/10/2016 01:59'],
        true,
      ),
      [
        '2016-10-30T02:00:00Z',
        '2016-10-30T01:30:00Z',
        '2016-10-30T01:00:00Z',
        '2016-10-30T00:30:00Z',
        '2016-10-29T23:59:00Z',
      ],
    )
  })

  test('a time that names its zone, or is an epoch, does not ask the clock of the house', () => {
    // 1,705,314,600 s = 2024-01-15T10:30:00Z
    assert.deepEqual(
      parseAll([
        '2024-01-15T11:30:00+01:00',
        '2024-01-15 10:30:00.123456Z',
        '1705314600',
        '1705314600500',
        '1705314600000001',
        '1705314600.5',
      ]),
      [
        '2024-01-15T10:30:00Z',
        '2024-01-15T10:30:00.123456Z',
        '2024-01-15T10:30:00Z',
        '2024-01-15T10:30:00.5Z',
        '2024-01-15T10:30:00.000001Z',
        '2024-01-15T10:30:00.5Z',
      ],
    )
  })

  test('what is no time is none', () => {
    const none = [
      '',
      'yesterday',
      '31/02/2012 10:00',
      '2012-01-15 24:00',
      '2012-01-15 10:60',
      '13/13/2012',
      '12',
      '0:00 am',
    ]
    assert.deepEqual(
      parseAll(none),
      none.map(() => undefined),
    )
  })

  test('the order of day and month is told by a number above 12', () => {
    assert.equal(findDateOrder(['01/02/2012', '13/02/2012']), 'dmy')
    assert.equal(findDateOrder(['01/02/2012', '02/13/2012']), 'mdy')
    assert.equal(findDateOrder(['01/02/2012', '02/12/2012']), undefined)
  })
})
