/** Gives the live store of the home that is looked at to the page, and feeds it. */
import { useQueryClient } from '@tanstack/react-query'
import {
  createContext,
  startTransition,
  useContext,
  useEffect,
  useMemo,
  useState,
  useSyncExternalStore,
} from 'react'
import type { ReactNode } from 'react'
import type { AnswerOf, LiveEvent } from '../../6-serve/contract.ts'
import { ask, urlOf } from '../api.ts'
import { followWhileVisible } from './connection.ts'
import type { LiveMessage } from './events.ts'
import { createLiveStore } from './store.ts'
import type { LiveState, LiveStore } from './store.ts'

const LiveContext = createContext<LiveStore | null>(null)

/** One store a home: another home starts with empty rings. */
export function LiveProvider({ tenant, children }: { tenant: string | undefined; children: ReactNode }) {
  const client = useQueryClient()
  // The home is no input of the making, but another one needs another store.
  // oxlint-disable-next-line react-hooks/exhaustive-deps
  const store = useMemo(() => createLiveStore(), [tenant])

  useEffect(() => {
    if (tenant === undefined) return
    const controller = new AbortController()
    // A failure leaves the charts to the events alone; the connection's badge says how it stands.
    const fill = () => {
      ask('series', { tenant, minutes: 60 }, controller.signal).then(store.takeSeries, () =>
        store.takeSeries(null),
      )
      ask('recent', { tenant }, controller.signal).then(
        (it) => store.takeSnapshot(it.readings),
        () => {},
      )
    }
    const receive = (message: LiveMessage) => {
      if (message.kind === 'connection') return store.setConnection(message.state)
      const data: unknown = JSON.parse(message.data)
      if (message.name === 'snapshot') {
        const snapshot = data as LiveEvent<'snapshot'>
        store.takeSnapshot(snapshot.readings)
        store.takePower(snapshot.power_now)
      }
      if (message.name === 'power') store.takePower(data as LiveEvent<'power'>)
      if (message.name === 'readings') store.takeReadings((data as LiveEvent<'readings'>).readings)
      if (message.name === 'status') client.setQueryData(['data-status'], data as AnswerOf<'dataStatus'>)
      if (message.name === 'alert') void client.invalidateQueries({ queryKey: ['overview', tenant] })
      if (message.name === 'resync') {
        fill()
        void client.invalidateQueries()
      }
    }
    fill()
    const stop = followWhileVisible(urlOf('live', { tenant }), receive)
    // What came while the page was hidden is fetched when it is looked at again.
    const refill = () => !document.hidden && fill()
    document.addEventListener('visibilitychange', refill)
    return () => {
      controller.abort()
      stop()
      document.removeEventListener('visibilitychange', refill)
    }
  }, [client, store, tenant])

  return <LiveContext value={store}>{children}</LiveContext>
}

export function useLiveStore(): LiveStore {
  const store = useContext(LiveContext)
  if (!store) throw new Error('useLiveStore outside of a LiveProvider')
  return store
}

/** How the connection stands; anew when that changes, and once a second while readings arrive. */
export function useLiveState(): LiveState {
  const store = useLiveStore()
  useSyncExternalStore(store.subscribe, () => toTheSecond(store.state()))
  return store.state()
}

function toTheSecond({ connection, paused, lastArrivalMs, staleAfterMs }: LiveState): string {
  const second = lastArrivalMs === null ? null : Math.floor(lastArrivalMs / 1000)
  return [connection, paused, second, staleAfterMs].join(' ')
}

/** Whether the live view stands still; what reads only this is not drawn anew with every arrival. */
export function usePaused(): boolean {
  const store = useLiveStore()
  return useSyncExternalStore(store.subscribe, () => store.state().paused)
}

/** A part of the store, taken over in slices after the frame; `select` stays the same function. */
export function useSelected<T>(store: LiveStore, select: (store: LiveStore) => T): T {
  const [taken, setTaken] = useState(() => ({ store, select, value: select(store) }))
  useEffect(() => {
    const take = () => {
      const value = select(store)
      startTransition(() =>
        setTaken((old) =>
          old.store === store && old.select === select && Object.is(old.value, value)
            ? old
            : { store, select, value },
        ),
      )
    }
    take()
    return store.subscribe(take)
  }, [store, select])
  // Another home: nothing of the one before.
  return taken.store === store && taken.select === select ? taken.value : select(store)
}
