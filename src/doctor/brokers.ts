import { resolve } from 'node:path'
import { probe } from '../1-source/mqtt/probe.ts'
import { kafkaSettings } from '../kafka-settings.ts'
import type { Verdict } from './examine.ts'
import type { Patient } from './patient.ts'

export async function kafkaBroker({ config, baseDir }: Patient): Promise<Verdict> {
  if (!config) return { state: 'skipped', what: 'The stream is not known without the configuration' }
  if (config.stream.type !== 'kafka') return { state: 'ok', what: 'The stream is a log in the data folder' }
  const { openKafkaView } = await import('../2-stream/kafka-view.ts')
  const view = openKafkaView(kafkaSettings(config, baseDir))
  try {
    const topics = await view.topics()
    return {
      state: 'ok',
      what: `Kafka at ${config.stream.brokers.join(', ')} answers: ${topics.length} topics`,
    }
  } finally {
    await view.close()
  }
}

export async function mqttBrokers({ config, baseDir }: Patient): Promise<Verdict[]> {
  if (!config) return [{ state: 'skipped', what: 'The brokers are not known without the configuration' }]
  const { brokers } = config.sources
  if (brokers.length === 0) return [{ state: 'ok', what: 'No other MQTT broker is configured' }]
  const file = (path: string | undefined) => (path === undefined ? undefined : resolve(baseDir, path))
  return await Promise.all(
    brokers.map(async (broker): Promise<Verdict> => {
      const failure = await probe({
        ...broker,
        version: broker.version === '5' ? 5 : 4,
        clientId: `${broker.client_id}-doctor-${process.pid}`,
        caFile: file(broker.ca_file),
        certFile: file(broker.cert_file),
        keyFile: file(broker.key_file),
      })
      if (failure === null) return { state: 'ok', what: `${broker.url} answers` }
      return { state: 'wrong', what: `${broker.url}: ${failure}` }
    }),
  )
}
