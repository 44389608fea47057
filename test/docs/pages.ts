import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'

/** The top of the checkout. */
export const ROOT = join(import.meta.dirname, '..', '..')

/** A fenced block: `info` is what stands behind the fence, such as `sh run exit=1`. */
export interface Block {
  readonly info: string
  readonly text: string
  readonly line: number
}

/** Every page of the documentation, from the top of the checkout. */
export function pages(): readonly string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  return listed.split('\n').filter((path) => path === 'README.md' || path.startsWith('docs/'))
}

/** The text of a file. */
export function textOf(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** The fenced blocks of a page in their order. */
export function blocksOf(page: string): readonly Block[] {
  const blocks: Block[] = []
  let open: { info: string; lines: string[]; line: number } | undefined
  for (const [index, line] of page.split('\n').entries()) {
    const fence = /^```(.*)$/.exec(line)
    if (!open && fence) open = { info: (fence[1] ?? '').trim(), lines: [], line: index + 1 }
    else if (open && fence) {
      blocks.push({ info: open.info, text: open.lines.join('\n'), line: open.line })
      open = undefined
    } else open?.lines.push(line)
  }
  return blocks
}

/** A link of a page, as it is written and as a path from the top of the checkout. */
export interface Link {
  readonly written: string
  readonly path: string
  readonly anchor: string | undefined
}

/** The links of a page to other files of the checkout; those to the web and those in code are left out. */
export function linksOf(path: string): readonly Link[] {
  const text = textOf(path)
    .replaceAll(/^```[\s\S]*?^```$/gm, '')
    .replaceAll(/`[^`\n]*`/g, '')
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] ?? '')
    .filter((written) => !/^[a-z]+:/.test(written))
    .map((written) => {
      const [file = '', anchor] = written.split('#')
      return { written, path: file === '' ? path : posix.join(dirname(path), file), anchor }
    })
}

/** The anchors that a forge makes of the headings of a page. */
export function anchorsOf(path: string): ReadonlySet<string> {
  const headings = textOf(path).match(/^#{1,6} .+$/gm) ?? []
  return new Set(
    headings.map((heading) =>
      heading
        .replace(/^#+ /, '')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}
