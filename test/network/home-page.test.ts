import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '../../src/kernel/clock.ts'
import { HOME_PAGE_STYLE } from '../../src/network/doors/home-page-style.ts'
import { homePage } from '../../src/network/doors/home-page.ts'
import type { Activity } from '../../src/network/doors/home-page.ts'

const activity: Activity = {
  asks: [],
  balances: [
    {
      owner: 'northcare',
      kind: 'funds',
      currency: 'EUR',
      availableMinor: 800,
      heldMinor: 400,
      debitsMinor: 0,
      creditsMinor: 1200,
    },
  ],
  trial: { isBalanced: true, items: [] },
  settlements: [],
  checkpoint: undefined,
}

/** Relative luminance of `#rrggbb` (WCAG 2.2, "relative luminance"). */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b)
  return (light + 0.05) / (dark + 0.05)
}

test('every text of the page stands out from the paper, in light and in dark (WCAG 2.2, 1.4.3)', () => {
  const schemes = [...HOME_PAGE_STYLE.matchAll(/:root\{([^}]*)\}/g)].map(
    ([, rules = '']) =>
      new Map([...rules.matchAll(/--(\w+):(#[\da-f]{6})/g)].map(([, name, colour]) => [name, colour])),
  )
  assert.equal(schemes.length, 2)
  for (const scheme of schemes)
    for (const name of ['ink', 'soft', 'leaf', 'berry', 'hip']) {
      const ratio = contrast(scheme.get(name) ?? '', scheme.get('paper') ?? '')
      assert.ok(ratio >= 4.5, `${name}: ${ratio.toFixed(2)}`)
    }
  assert.ok(contrast('#ffffff', '#777777') < 4.5, 'grey that is known to be too light')
})

test('a table that is wider than the page is reached and scrolled with the keyboard, and has a name', () => {
  const page = homePage({ name: 'network', now: instant(0), offers: [], activity })
  const boxes = [...page.matchAll(/<div class="scroll"([^>]*)><table>/g)]
  assert.equal(boxes.length, [...page.matchAll(/<table>/g)].length)
  assert.ok(boxes.length > 0)
  for (const [, attributes = ''] of boxes)
    assert.match(attributes, /role="region" aria-label="[^"]+" tabindex="0"/)
})
