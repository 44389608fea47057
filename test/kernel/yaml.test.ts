import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseYaml } from '../../src/kernel/yaml.ts'

describe('parseYaml()', () => {
  test('reads YAML and JSON', () => {
    assert.deepEqual(parseYaml('a: 1\nb: [x, "2"]\n'), { ok: true, value: { a: 1, b: ['x', '2'] } })
    assert.deepEqual(parseYaml('{"a": null}'), { ok: true, value: { a: null } })
  })

  for (const [what, text, place] of [
    ['an unclosed list', 'a: 1\nb: [x\n', /^line \d/],
    ['a name that comes twice', 'a: 1\na: 2\n', /^line 2/],
    ['a tab for indentation', 'a:\n\tb: 1\n', /^line 2/],
  ] as const) {
    test(`says where ${what} is`, () => {
      const parsed = parseYaml(text)
      assert.equal(parsed.ok, false)
      assert.match(parsed.ok ? '' : (parsed.error[0]?.field ?? ''), place)
    })
  }

  test('does not unfold aliases that multiply', () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c]\n`
    const parsed = parseYaml(bomb)
    assert.equal(parsed.ok, false)
  })
})
