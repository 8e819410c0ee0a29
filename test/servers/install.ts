/** `npm run test-servers`: installs what `installed.ts` speaks of, where it is not there yet. */
import { CHDB } from './clickhouse.ts'
import { DELTALAKE } from './delta-rs.ts'
import { brokerObstacle } from '../../src/run/kafka-jars.ts'
import { ensureInstalled } from './installed.ts'
import { startKafka } from './kafka.ts'
import { SPARK } from './spark.ts'

for (const installation of [DELTALAKE, CHDB, SPARK]) ensureInstalled(installation)

// Fetches the broker, and lets one end cleanly: it leaves the archive from which all others start in half the time.
const obstacle = brokerObstacle()
if (obstacle) console.log(obstacle.message)
else {
  const kafka = await startKafka()
  await kafka.nodes[0]!.stop()
  await kafka.close()
}
