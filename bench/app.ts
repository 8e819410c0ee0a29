import { buildApp } from '../src/6-serve/app.ts'
import type { Engine, Lake } from '../src/lake/types.ts'

/** The server of the dashboard over a lake that nobody writes to, with that moment as now. */
export function benchApp({ lake, engine }: { lake: Lake; engine: Engine }, nowMs: number) {
  return buildApp({
    lake,
    engine,
    log: null,
    dashboardDir: null,
    timeZone: 'Europe/Berlin',
    currency: 'USD',
    refreshS: 30,
    liveReadings: 100,
    alertThresholds: { high_temperature_c: 35, low_temperature_c: 5, high_power_w: 3500, offline_s: 300 },
    demo: false,
    version: 'bench',
    requestsPerMinute: Number.MAX_SAFE_INTEGER,
    clock: () => nowMs,
  })
}
