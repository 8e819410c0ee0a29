import { createServer } from 'node:net'
import { join } from 'node:path'
import { PlatformError } from '../errors.ts'
import { openDataFolder } from '../data-folder.ts'
import { dataPath } from '../main.ts'
import { lockInstance } from '../run/instance.ts'
import { clusterProperties, startBroker, untilBrokerEnded } from '../run/kafka-broker.ts'
import { brokerObstacle, fetchKafka, KAFKA_VERSION } from '../run/kafka-jars.ts'
import { DATA_OPTION, wholeNumber, type Command } from './command.ts'

export const KAFKA: Command = {
  name: 'kafka',
  summary: 'a local Kafka broker for development: one node, no protection, not for a house',
  positional: 'up',
  options: {
    ...DATA_OPTION,
    port: { value: 'PORT', description: 'port of the broker; default 9092, the controller takes the next' },
  },
  examples: ['smarthouse kafka up', 'SMARTHOUSE_STREAM_TYPE=kafka smarthouse up'],
  async run(args, stop) {
    if (args.positionals[0] !== 'up' || args.positionals.length > 1)
      throw new PlatformError(
        'usage',
        'smarthouse kafka needs to know what to do',
        'Write smarthouse kafka up.',
      )
    const obstacle = brokerObstacle()
    if (obstacle) throw obstacle
    const port = wholeNumber('--port', args.text('port') ?? '9092', 1, 65_534)
    const dir = join(openDataFolder(dataPath(args), { create: true }).root, 'kafka')
    const lock = lockInstance(dir)
    if (!lock)
      throw new PlatformError(
        'already_running',
        `A broker is running in ${dir} already`,
        'Use that one, stop it with Ctrl-C where it was started, or choose another folder with --data DIR.',
      )
    try {
      return await serve(dir, port, stop)
    } catch (error) {
      // Ctrl-C before it served: there is nothing to stop.
      if (stop.aborted) return 0
      throw error
    } finally {
      lock.release()
    }
  },
}

async function serve(dir: string, port: number, stop: AbortSignal): Promise<number> {
  await fetchKafka(console.log, stop)
  await untilBrokerEnded(dir, stop)
  for (const wanted of [port, port + 1]) await checkFree(wanted)
  console.log(`Starting Apache Kafka ${KAFKA_VERSION}, data in ${dir} …`)
  const properties = {
    ...clusterProperties(1),
    'controller.quorum.voters': `1@127.0.0.1:${port + 1}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${port + 1}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
  }
  const broker = await startBroker({ dir, nodeId: 1, properties }, stop)
  console.log(
    [
      `Kafka for development: 127.0.0.1:${port}. One node, no replicas, no encryption, no passwords: not for a house.`,
      `Set stream: { type: kafka, brokers: ['127.0.0.1:${port}'] } in the configuration. Stop with Ctrl-C.`,
    ].join('\n'),
  )
  const stopped = new Promise<'stopped'>((resolve) => {
    if (stop.aborted) resolve('stopped')
    stop.addEventListener('abort', () => resolve('stopped'))
  })
  const how = await Promise.race([stopped, broker.ended])
  // Ctrl-C reaches the broker too, and it may be the faster one.
  if (how !== 'stopped' && !stop.aborted)
    throw new PlatformError(
      'kafka_not_installed',
      'The broker ended by itself',
      `See ${join(dir, 'broker.log')}.`,
    )
  await broker.stop()
  return 0
}

async function checkFree(port: number): Promise<void> {
  const probe = createServer()
  await new Promise<void>((resolve, reject) => {
    probe.once('error', (cause) =>
      reject(
        new PlatformError(
          'port_in_use',
          `Port ${port} on 127.0.0.1 is in use by another program, perhaps by a broker that runs already`,
          `Use that one, or choose another port, for example --port ${port + 10}.`,
          { cause },
        ),
      ),
    )
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve()))
  })
}
