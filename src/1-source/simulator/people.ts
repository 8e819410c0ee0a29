import { createRandom, seedOf, type Random } from './random.ts'

const MINUTES = 1440

/** Where somebody is, one number a minute. */
export const PLACE = {
  away: 0,
  asleep: 1,
  living: 2,
  kitchen: 3,
  hall: 4,
  bath: 5,
  office: 6,
} as const
export type Place = (typeof PLACE)[keyof typeof PLACE]

/** One local day of the people of a house: a place for each of the day's 1,440 minutes, per person. */
export interface DayPlan {
  people: readonly Uint8Array[]
}

/** How many people are at a place in that minute. */
export function peopleAt(plan: DayPlan, place: Place, minute: number): number {
  let count = 0
  for (const places of plan.people) if (places[minute] === place) count += 1
  return count
}

/** How many people are at home and awake in that minute. */
export function awakeAtHome(plan: DayPlan, minute: number): number {
  let count = 0
  for (const places of plan.people) if (places[minute]! > PLACE.asleep) count += 1
  return count
}

/** The habits of a person, which are the same every day. */
interface Habits {
  wakeMinute: number
  bedMinute: number
  worksAway: boolean
}

/** The day plans of a house's one to three people; a day's plan follows from the seed and the day alone. */
export function createPeople(houseSeed: number): (localDay: number) => DayPlan {
  const random = createRandom(seedOf(houseSeed, 'people'))
  const habits = Array.from({ length: random.integer(1, 3) }, (): Habits => ({
    wakeMinute: random.integer(345, 450),
    bedMinute: random.integer(1310, 1385),
    worksAway: random.chance(0.7),
  }))
  let planned: { localDay: number; plan: DayPlan } | undefined
  return (localDay) => {
    if (planned?.localDay !== localDay) {
      const people = habits.map((habit, person) => planPerson(habit, houseSeed, person, localDay))
      planned = { localDay, plan: { people } }
    }
    return planned.plan
  }
}

function planPerson(habits: Habits, houseSeed: number, person: number, localDay: number): Uint8Array {
  const random = createRandom(seedOf(houseSeed, 'day', person, localDay))
  // 1970-01-01 was a Thursday
  const weekend = (((localDay + 3) % 7) + 7) % 7 >= 5
  const wake = habits.wakeMinute + random.integer(-15, 25) + (weekend ? random.integer(40, 110) : 0)
  const bed = Math.min(habits.bedMinute + random.integer(-35, 45), MINUTES - 2)
  const places = new Uint8Array(MINUTES).fill(PLACE.asleep)
  walkThroughRooms(places, wake, bed, random)
  if (!weekend && habits.worksAway) leave(places, wake + random.integer(40, 80), random.integer(985, 1110))
  else if (random.chance(0.7)) {
    const from = wake + random.integer(120, 400)
    leave(places, from, from + random.integer(40, 220))
  }
  if (random.chance(0.15)) leave(places, random.integer(1120, 1160), bed - random.integer(15, 60))
  return places
}

/** Stays in one room after the other; every walk from room to room takes its minute in the hall. */
function walkThroughRooms(places: Uint8Array, wake: number, bed: number, random: Random): void {
  let minute = wake
  while (minute < bed) {
    const [place, shortest, longest] = nextStay(minute - wake, minute, random)
    const end = Math.min(minute + 1 + random.integer(shortest, longest), bed)
    places[minute] = PLACE.hall
    places.fill(place, minute + 1, end)
    minute = end
  }
}

/** A room and how long somebody stays there, minutes: bath and breakfast first, meals in the kitchen, evenings in the living room. */
function nextStay(sinceWaking: number, minute: number, random: Random): [Place, number, number] {
  if (sinceWaking < 5) return [PLACE.bath, 8, 18]
  if (sinceWaking < 45 || (minute > 710 && minute < 770) || (minute > 1070 && minute < 1150))
    return [PLACE.kitchen, 12, 35]
  const draw = random.between(0, 1)
  if (draw < 0.12) return [PLACE.bath, 3, 12]
  if (draw < 0.3) return [PLACE.kitchen, 4, 15]
  if (minute < 1080 && draw < 0.65) return [PLACE.office, 25, 90]
  return [PLACE.living, 20, 80]
}

function leave(places: Uint8Array, from: number, to: number): void {
  if (to - from < 15 || to >= MINUTES) return
  places[from - 1] = PLACE.hall
  places.fill(PLACE.away, from, to)
  if (places[to]! > PLACE.asleep) places[to] = PLACE.hall
}
