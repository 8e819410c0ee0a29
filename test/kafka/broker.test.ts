import { after, before, describe } from 'node:test'
import { openKafkaView } from '../../src/2-stream/kafka-view.ts'
import { logContract } from '../2-stream/log.contract.ts'
import { viewContract, type ViewSetting } from '../2-stream/view.contract.ts'
import { streamsContract } from '../6-serve/streams.contract.ts'
import { kafkaSkip } from '../servers/kafka.ts'
import { badCases } from './bad.cases.ts'
import { bronzeCases } from './bronze.cases.ts'
import { openTopic } from './setting.ts'
import { securityCases } from './security.cases.ts'
import { startSecuredKafka, type SecuredKafka } from './secured.ts'
import { topicCases } from './topic.cases.ts'

const skip = kafkaSkip()
let kafka: SecuredKafka
let topics = 0

describe('Kafka', { skip }, () => {
  before(async () => {
    kafka = await startSecuredKafka()
  })
  after(() => kafka?.close())

  bronzeCases(() => kafka)
  logContract({
    name: 'Kafka',
    fresh: async () => ({
      module: new URL('../../src/2-stream/kafka.ts', import.meta.url).href,
      opener: 'openKafkaLog',
      options: {
        connection: { brokers: kafka.brokers },
        topic: `contract-${++topics}`,
        create: true,
        partitions: 1,
        replication: 1,
        retentionMs: 3_600_000,
      },
    }),
    cleanUp: async () => undefined,
  })
  const seen = async (): Promise<ViewSetting> => ({
    view: openKafkaView({
      connection: { brokers: kafka.brokers },
      topic: 'unused',
      create: false,
      // What is asked of our own topics is not asked of those that are only looked at.
      partitions: 6,
      replication: 3,
      retentionMs: 1_000 * 3_600_000,
    }),
    topic: (name) => openTopic(kafka, name, 1),
  })
  viewContract({ name: 'Kafka', fresh: seen })
  streamsContract({ name: 'kafka', fresh: seen })
  securityCases(() => kafka)
  topicCases(() => kafka)
  badCases(() => kafka)
})
