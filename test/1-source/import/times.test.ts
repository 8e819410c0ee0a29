import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { allOrders, OrderEvidence } from '../../../src/1-source/import/clock.ts'
import { EventTimes, isoTime, openZone } from '../../../src/1-source/import/times.ts'

const berlin = openZone('Europe/Berlin')
const parseAll = (times: string[], descending = false): (string | undefined)[] => {
  const events = new EventTimes({ zone: berlin, orders: allOrders('dmy'), descending, midnightEnds: false })
  return times.map((time) => {
    const read = events.read(time, 'device')
    return read && isoTime(read.ms, read.fraction)
  })
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
      '2012-01-15 24:01',
      '201213011030',
      '1.7053146e9',
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

  test('spellings: names of months, no separators, the end of a day, nanoseconds, halves of the day', () => {
    assert.deepEqual(
      parseAll([
        '15-Jan-2012 00:30',
        'Jan 15, 2012 1:05 PM',
        '15 January 2012 00:00:05',
        '20120115103000',
        '201201151030',
        '20120115T1030',
        '2012-01-15 24:00:00',
        '2012-01-15 10:30 UTC',
        '1705314600000000001',
        '2012-01-15',
      ]),
      [
        '2012-01-14T23:30:00Z',
        '2012-01-15T12:05:00Z',
        '2012-01-14T23:00:05Z',
        '2012-01-15T09:30:00Z',
        '2012-01-15T09:30:00Z',
        '2012-01-15T09:30:00Z',
        '2012-01-15T23:00:00Z',
        '2012-01-15T10:30:00Z',
        '2024-01-15T10:30:00Z',
        '2012-01-14T23:00:00Z',
      ],
    )
  })

  test('autumn in a file of hours: the same label again is the next hour, unless every row stands twice', () => {
    const hours = [
      '2016-10-30 00:00',
      '2016-10-30 01:00',
      '2016-10-30 02:00',
      '2016-10-30 02:00',
      '2016-10-30 03:00',
    ]
    assert.deepEqual(parseAll(hours), [
      '2016-10-29T22:00:00Z',
      '2016-10-29T23:00:00Z',
      '2016-10-30T00:00:00Z',
      '2016-10-30T01:00:00Z',
      '2016-10-30T02:00:00Z',
    ])
    const twice = ['2016-10-30 01:00', '2016-10-30 01:00', '2016-10-30 02:00', '2016-10-30 02:00']
    assert.deepEqual(parseAll(twice), [
      '2016-10-29T23:00:00Z',
      '2016-10-29T23:00:00Z',
      '2016-10-30T00:00:00Z',
      '2016-10-30T00:00:00Z',
    ])
  })

  test('the order of day and month is told by what each date can be, and by nothing else', () => {
    const orders = (...times: string[]) => {
      const evidence = new OrderEvidence()
      for (const time of times) evidence.add(time)
      return evidence.orders()
    }
    assert.deepEqual(orders('01/02/2012', '13/02/2012'), { '/': 'dmy' })
    assert.deepEqual(orders('01/02/2012', '02/13/2012'), { '/': 'mdy' })
    assert.deepEqual(orders('01.02.2012'), { '.': 'dmy' }) // points part no other order
    assert.deepEqual(orders('01/02/2012', '02/12/2012'), { unclear: '01/02/2012', mixed: false })
    assert.deepEqual(orders('13/02/2012', '02/13/2012'), { unclear: '13/02/2012', mixed: true })
    assert.deepEqual(orders('31/01/12'), { '/': 'dmy' }) // as year first it would be in 2031
    assert.deepEqual(orders('15/01/12'), { unclear: '15/01/12', mixed: false }) // of 2015 or of 2012
    // Two spellings in one column: what one tells, the other does not.
    assert.deepEqual(orders('28-07-2018 07:06', '8/12/18 9:30'), { unclear: '8/12/18 9:30', mixed: false })
    assert.deepEqual(orders('28-07-2018 07:06', '99/99/2018'), { '-': 'dmy' }) // a bad row says nothing
  })
})
