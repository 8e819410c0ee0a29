import type { Command } from './command.ts'

/** Every command, loaded when it is used: a producer does not carry the engine of the lake. */
export const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  up: async () => (await import('./up.ts')).UP,
  down: async () => (await import('./down.ts')).DOWN,
  status: async () => (await import('./status.ts')).STATUS,
  simulate: async () => (await import('./simulate.ts')).SIMULATE,
  import: async () => (await import('./import.ts')).IMPORT,
  devices: async () => (await import('./devices.ts')).DEVICES,
  listen: async () => (await import('./listen.ts')).LISTEN,
  poll: async () => (await import('./poll.ts')).POLL,
  broker: async () => (await import('./broker.ts')).BROKER,
  bronze: async () => (await import('./stages.ts')).BRONZE,
  silver: async () => (await import('./stages.ts')).SILVER,
  gold: async () => (await import('./stages.ts')).GOLD,
  stages: async () => (await import('./stages.ts')).STAGES,
  serve: async () => (await import('./serve.ts')).SERVE,
  stream: async () => (await import('./stream.ts')).STREAM,
  kafka: async () => (await import('./kafka.ts')).KAFKA,
  sql: async () => (await import('./sql.ts')).SQL,
  lake: async () => (await import('./lake.ts')).LAKE,
  verify: async () => (await import('./verify.ts')).VERIFY,
  rebuild: async () => (await import('./rebuild.ts')).REBUILD,
  bill: async () => (await import('./bill.ts')).BILL,
  why: async () => (await import('./why.ts')).WHY,
  build: async () => (await import('./build.ts')).BUILD,
}
