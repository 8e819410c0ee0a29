/** Colours of devices: fixed by the device's place among all of the home, in both themes the same hue order. */

const HUES = 8

export interface SeriesColour {
  /** Name of the CSS variable. */
  variable: string
  /** The second eight repeat the hues, dashed: there is no ninth hue that the colour-blind could tell. */
  dashed: boolean
}

export const OTHER_COLOUR: SeriesColour = { variable: '--other', dashed: false }

/** Colour of the n-th device, from 0. */
export function colourOf(n: number): SeriesColour {
  return { variable: `--series-${(n % HUES) + 1}`, dashed: n >= HUES }
}

// Charts ask many times a frame, and a computed style is dear.
const known = new Map<string, string>()
addEventListener('themechange', () => known.clear())

/** The present value of a CSS variable of the theme. */
export function cssColour(variable: string): string {
  let colour = known.get(variable)
  if (colour === undefined) {
    colour = getComputedStyle(document.documentElement).getPropertyValue(variable).trim()
    known.set(variable, colour)
  }
  return colour
}
