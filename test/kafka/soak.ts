/** `npm run soak -- kafka [KILLS] [SEED]`: prints what was killed, acknowledged and landed; ends with 1 where anything is wrong. */
import { killAtRandom } from './kill-run.ts'

const kills = Number(process.argv[2] ?? 200)
const seed = Number(process.argv[3] ?? 1)
const { verify, ...report } = await killAtRandom({
  kills,
  seed,
  producers: 2,
  workers: 2,
  perSecond: 6_000,
  leastPerSecond: 5_000,
  pauseMs: 2_000,
  say: (line) => console.log(`${new Date().toISOString()} ${line}`),
})
console.log(verify.output)
console.log(JSON.stringify({ kills, seed, ...report, verify: verify.status }))
process.exitCode = report.lost === 0 && report.twice === 0 && verify.status === 0 ? 0 : 1
