/** Work that waits until the browser has painted, so that a press is answered before what it asks for is drawn. */

/** A page that is not painted (hidden, or behind another) has no frame to wait for. */
const AT_LATEST_MS = 100

/** Resolves in a task of its own after the next frame; after a tenth of a second where no frame comes. */
export function painted(): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(resolve, AT_LATEST_MS)
    requestAnimationFrame(() =>
      setTimeout(() => {
        clearTimeout(late)
        resolve()
      }),
    )
  })
}

/** Resolves in another task: what waits, a press above all, comes first. */
export const otherTask = () => new Promise<void>((resolve) => setTimeout(resolve))
