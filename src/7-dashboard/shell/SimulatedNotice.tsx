/** Says plainly that a house is simulated, and how to bring in a real one. */
import { useEffect } from 'react'
import { Icon } from '../kit/icons.tsx'
import { ICON_BUTTON } from '../kit/overlays.tsx'
import { useFlag } from '../preferences.ts'
import { texts } from '../texts.ts'
import { useHomes, useTenant } from '../useHouse.ts'

export function SimulatedNotice() {
  const tenant = useTenant()
  const homes = useHomes()
  const home = homes.data?.homes.find((each) => each.tenant === tenant)
  // The fact stays in view; only the words around it can be put away.
  const [full, setFull] = useFlag('simulated-notice', true)
  // Until the homes are known its place is kept, or the page would jump; not where a real home was seen last.
  const [wasReal, setWasReal] = useFlag('real-home', false)
  const simulated = home?.simulated
  useEffect(() => {
    if (simulated !== undefined) setWasReal(!simulated)
  }, [simulated])
  const awaited = homes.isPending && !wasReal
  if (!simulated && !awaited) return null
  const { title, body, more, steps, readme, dismiss } = texts.simulated

  return (
    <aside
      aria-label={title}
      className={`mb-3 flex items-start gap-2.5 rounded-lg border border-accent/30 bg-accent/6 px-4 py-2.5 text-xs ${awaited ? 'invisible' : ''}`}
    >
      <Icon name="info" className="mt-px size-4 text-accent" />
      <div className="min-w-0 grow">
        <p>
          <strong className="font-semibold">{title}</strong> {full && body}
        </p>
        {full && (
          <details className="group mt-0.5">
            <summary className="target inline-flex cursor-pointer list-none items-center gap-0.5 rounded-sm font-medium text-accent hover:underline">
              {more}
              <Icon name="chevron" className="size-4 group-open:rotate-180" />
            </summary>
            <ul className="mt-1.5 flex flex-col gap-1.5 pb-1">
              {steps.map(([what, command]) => (
                <li key={command}>
                  {what} <code className="rounded-sm bg-fill-strong px-1.5 py-0.5 select-all">{command}</code>
                </li>
              ))}
              <li>{readme}</li>
            </ul>
          </details>
        )}
      </div>
      {full && (
        <button
          type="button"
          onClick={() => setFull(false)}
          className={`${ICON_BUTTON} -my-1 -mr-2`}
          aria-label={dismiss}
          title={dismiss}
        >
          <Icon name="close" className="size-4" />
        </button>
      )}
    </aside>
  )
}
