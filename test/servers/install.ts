/** `npm run test-servers`: installs what `installed.ts` speaks of, where it is not there yet. */
import { CHDB } from './clickhouse.ts'
import { DELTALAKE } from './delta-rs.ts'
import { ensureInstalled } from './installed.ts'
import { SPARK } from './spark.ts'

for (const installation of [DELTALAKE, CHDB, SPARK]) ensureInstalled(installation)
