/** What is used of the client library. The order counts: see `kafka-schemas.ts`. */
import { loaded } from './kafka-schemas.ts'
export {
  Admin,
  compatibilityPartitioner,
  ConfigResourceTypes,
  ConnectionPool,
  Consumer,
  Producer,
} from '@platformatic/kafka'
export type { BaseOptions, KafkaRecord, RecordsBatch } from '@platformatic/kafka'

loaded()
