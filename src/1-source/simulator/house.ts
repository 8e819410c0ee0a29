import type { Quarter } from './climate.ts'
import { createPeople, type DayPlan } from './people.ts'
import { seedOf } from './random.ts'
import { createRoom, type Room } from './room.ts'

/** One user's home: its people and its heated room. Its devices look at it; none of them changes it. */
export interface House {
  /** From 1. */
  index: number
  seed: number
  room: Room
  /** The plan of the local day that `advance` was last called for. */
  plan: DayPlan
  /** Computes the next quarter-hour; they must follow each other without a gap. */
  advance(quarter: Quarter): void
}

export function createHouse(seed: number, index: number): House {
  const houseSeed = seedOf(seed, 'house', index)
  const planOf = createPeople(houseSeed)
  const room = createRoom(houseSeed)
  const house: House = {
    index,
    seed: houseSeed,
    room,
    plan: { people: [] },
    advance(quarter) {
      house.plan = planOf(quarter.localDay)
      room.advance(quarter, house.plan)
    },
  }
  return house
}
