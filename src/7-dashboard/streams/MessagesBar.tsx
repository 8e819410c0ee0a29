/** Which messages: from where on, of which partition, with what in them, decoded or raw, followed or not. */
import { useId, useState } from 'react'
import type { FormEvent, ReactNode } from 'react'
import type { StreamTopic } from '../../6-serve/contract.ts'
import { Segments } from '../kit/Segments.tsx'
import { instantOf, wallOf } from './numbers.ts'
import { BYS, FROMS, useStreamSearch, type By, type From, type StreamSearch } from './search.ts'
import { texts } from './texts.ts'

const FIELD =
  'target h-8 min-w-0 rounded-md border border-control bg-card px-2 text-xs outline-offset-1 focus-visible:outline-2 focus-visible:outline-accent'
const { messages: say } = texts
/** The time that is offered at first lies so far back. */
const LOOK_BACK_MS = 300_000

interface BarProps {
  topic: StreamTopic
  zone: string
  follow: boolean
  /** null: what is looked at is not the end, which alone can be followed. */
  setFollow: ((follow: boolean) => void) | null
  note: string | null
  /** The same question once more. */
  look: () => void
}

export function MessagesBar({ topic, zone, follow, setFollow, note, look }: BarProps) {
  const [search, change] = useStreamSearch()
  const [from, setFrom] = useState<From>(search.from ?? 'last')
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    look()
    change(changeOf(new FormData(event.currentTarget), from, zone))
  }
  return (
    <form onSubmit={submit} className="flex flex-wrap items-end gap-x-3 gap-y-2 text-xs">
      <Labelled label={say.from}>
        <Segments
          label={say.from}
          segments={FROMS.map((value) => ({ value, label: say.froms[value] }))}
          value={from}
          choose={setFrom}
        />
      </Labelled>
      <At from={from} topic={topic} zone={zone} />
      {topic.partitions.length > 1 && <PartitionField topic={topic} />}
      <Filter />
      <button
        type="submit"
        className="target h-8 rounded-md bg-accent px-4 font-medium text-on-accent hover:opacity-90"
      >
        {say.look}
      </button>
      <Check
        label={say.raw}
        title={say.rawTitle}
        checked={search.raw === true}
        set={(raw) => change({ raw })}
      />
      {setFollow && <Check label={say.follow} title={say.followTitle} checked={follow} set={setFollow} />}
      {note && <span className="flex h-8 items-center text-muted">{note}</span>}
    </form>
  )
}

function changeOf(form: FormData, from: From, zone: string): Partial<StreamSearch> {
  const text = (name: string) => String(form.get(name) ?? '').trim()
  const given = (value: string) => (value === '' ? undefined : value)
  const at = given(text('at'))
  return {
    from: from === 'last' ? undefined : from,
    at: at !== undefined && from === 'time' ? instantOf(at, zone).toISOString() : at,
    by: text('q') === '' ? undefined : (text('by') as By),
    q: given(text('q')),
    partition: text('partition') === '' ? undefined : Number(text('partition')),
  }
}

/** The offset, or the time, from which on; nothing where no one is asked for. */
function At({ from, topic, zone }: { from: From; topic: StreamTopic; zone: string }) {
  const [search] = useStreamSearch()
  const id = useId()
  const common = { id, name: 'at', required: true }
  if (from === 'offset') {
    const at = search.from === 'offset' ? search.at : String(topic.partitions[0]?.start ?? 0)
    return (
      <Labelled label={say.offset} of={id}>
        <input
          {...common}
          inputMode="numeric"
          pattern="\d{1,15}"
          defaultValue={at}
          className={`${FIELD} w-28`}
        />
      </Labelled>
    )
  }
  if (from !== 'time') return null
  const at = search.from === 'time' ? search.at! : new Date(Date.now() - LOOK_BACK_MS).toISOString()
  return (
    <Labelled label={say.time(zone)} of={id}>
      <input {...common} type="datetime-local" step="1" defaultValue={wallOf(at, zone)} className={FIELD} />
    </Labelled>
  )
}

function PartitionField({ topic }: { topic: StreamTopic }) {
  const [{ partition: chosen }] = useStreamSearch()
  const id = useId()
  return (
    <Labelled label={say.partition} of={id}>
      <select id={id} name="partition" defaultValue={chosen ?? ''} className={FIELD}>
        <option value="">{say.every}</option>
        {topic.partitions.map(({ partition }) => (
          <option key={partition} value={partition}>
            {partition}
          </option>
        ))}
      </select>
    </Labelled>
  )
}

function Filter() {
  const [search] = useStreamSearch()
  const [by, setBy] = useState<By>(search.by ?? 'path')
  const id = useId()
  return (
    <>
      <Labelled label={say.by} of={`${id}-by`}>
        <select
          id={`${id}-by`}
          name="by"
          value={by}
          onChange={(event) => setBy(event.target.value as By)}
          className={FIELD}
        >
          {BYS.map((name) => (
            <option key={name} value={name}>
              {say.bys[name]}
            </option>
          ))}
        </select>
      </Labelled>
      <Labelled label={say.filter} of={`${id}-q`} grow>
        <input
          id={`${id}-q`}
          name="q"
          type="search"
          autoComplete="off"
          spellCheck={false}
          placeholder={say.examples[by]}
          defaultValue={search.q}
          className={`${FIELD} w-full`}
        />
      </Labelled>
    </>
  )
}

function Labelled(props: { label: string; of?: string; grow?: boolean; children: ReactNode }) {
  const { label, of, grow, children } = props
  const frame = `flex flex-col gap-1 ${grow ? 'min-w-40 grow basis-48' : ''}`
  return (
    <div className={frame}>
      {of === undefined ? (
        <span aria-hidden="true" className="text-2xs text-muted">
          {label}
        </span>
      ) : (
        <label htmlFor={of} className="text-2xs text-muted">
          {label}
        </label>
      )}
      {children}
    </div>
  )
}

function Check(props: { label: string; title: string; checked: boolean; set: (checked: boolean) => void }) {
  return (
    <label title={props.title} className="target inline-flex h-8 cursor-pointer items-center gap-1.5">
      <input
        type="checkbox"
        checked={props.checked}
        onChange={(event) => props.set(event.target.checked)}
        className="size-4 accent-(--accent)"
      />
      {props.label}
    </label>
  )
}
