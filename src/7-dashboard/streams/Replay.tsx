/** Dead letters put on the telemetry topic again: one of them, or all after a question. */
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { change } from '../api.ts'
import { formatCount } from '../format.ts'
import { Sheet } from '../kit/popups.tsx'
import { texts } from './texts.ts'

const { replay: say } = texts
const BUTTON =
  'target inline-flex h-8 items-center rounded-md border border-control px-3 text-xs font-medium hover:bg-fill disabled:opacity-50'

function useReplay(done: () => void) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (place: { partition: number; offset: number } | { all: true }) =>
      change('streamReplay', place),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['streams'] })
      done()
    },
  })
}

function Outcome({ replay }: { replay: ReturnType<typeof useReplay> }) {
  if (replay.error)
    return (
      <p role="alert" className="text-bad">
        {replay.error.message}
      </p>
    )
  return <p role="status">{replay.data && say.done(replay.data.replayed)}</p>
}

export function ReplayOne(props: { place: { partition: number; offset: number }; done: () => void }) {
  const replay = useReplay(props.done)
  return (
    <div className="flex flex-wrap items-center gap-3 border-t border-line pt-4">
      <button
        type="button"
        title={say.oneTitle}
        disabled={replay.isPending || replay.isSuccess}
        onClick={() => replay.mutate(props.place)}
        className={BUTTON}
      >
        {say.one}
      </button>
      <Outcome replay={replay} />
    </div>
  )
}

export function ReplayAll({ count, done }: { count: number; done: () => void }) {
  const [asking, setAsking] = useState(false)
  const replay = useReplay(done)
  const close = () => {
    setAsking(false)
    replay.reset()
  }
  if (count === 0) return null
  return (
    <>
      <button type="button" className={`${BUTTON} mr-2`} onClick={() => setAsking(true)}>
        {say.all}
      </button>
      <Sheet title={say.all} open={asking} close={close}>
        <div className="flex flex-col gap-3 text-xs">
          <p className="font-medium">{say.ask(formatCount(count))}</p>
          <p className="text-muted">{say.why}</p>
          <div className="flex gap-2">
            <button
              type="button"
              disabled={replay.isPending || replay.isSuccess}
              onClick={() => replay.mutate({ all: true })}
              className="target h-8 rounded-md bg-accent px-4 font-medium text-on-accent disabled:opacity-50"
            >
              {say.yes}
            </button>
            <button type="button" className={BUTTON} onClick={close}>
              {say.no}
            </button>
          </div>
          <Outcome replay={replay} />
        </div>
      </Sheet>
    </>
  )
}
