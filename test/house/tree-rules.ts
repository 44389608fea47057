/** The rules on names and words that hold in every file of the repository. Each gives what is wrong, or nothing. */

const kebabName = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9-]+)*$/
const kebabFolder = /^\.?[a-z0-9]+(?:-[a-z0-9]+)*$/
const codeFolders = ['src', 'test', 'bench', 'scripts', 'console', 'docs']
const emptyWords = ['util', 'utils', 'helper', 'helpers', 'manager', 'managers', 'misc']

/** A file or folder whose name is not kebab-case, or says nothing about what is inside. */
export function wrongName(path: string): string | undefined {
  const parts = path.split('/')
  const folders = parts.slice(0, -1)
  if (!codeFolders.includes(folders[0] ?? '')) return undefined
  const name = parts.at(-1) ?? ''
  // The name under which a forge shows the page of a folder.
  if (name === 'README.md') return undefined
  if (!kebabName.test(name) || !folders.every((folder) => kebabFolder.test(folder))) {
    return `${path}: names are kebab-case`
  }
  const words = [...folders, ...name.split('.').slice(0, 1)].flatMap((part) => part.split('-'))
  const empty = words.find((word) => emptyWords.includes(word))
  return empty === undefined
    ? undefined
    : `${path}: "${empty}" says nothing of what is inside; name the thing or the act`
}

interface BannedWord {
  readonly pattern: RegExp
  readonly because: string
  /** Where it is banned; everywhere when absent. */
  readonly within?: RegExp
}

// The patterns are put together from halves, so that this file does not break its own rules.
const bannedWords: readonly BannedWord[] = [
  {
    pattern: new RegExp(String.raw`\b(?:TO${''}DO|FIX${''}ME|XX${''}X)\b`),
    because: 'unfinished work is not left in the tree',
  },
  {
    pattern: new RegExp(String.raw`(?:^|[\s"'\x60(=:])/(?:work|home|root|Users|mnt)/`),
    because: 'a path of one machine means nothing on another',
  },
  {
    pattern: new RegExp(
      String.raw`\b(?:registry\.(?:npm|yarn)|npmjs|npmmirror|pypi|static\.crates|crates|proxy\.golang|deb\.debian|jsr)[a-z.]*\.(?:org|com|io)\b`,
    ),
    because: 'where packages come from is a setting of the machine',
  },
  {
    pattern: /\bmkdir(?:Sync)?\(.*\brecursive\b/,
    because: 'it never ends under /proc: makeDirectory of src/kernel/make-directory.ts',
    within: /^src\//,
  },
  {
    pattern: new RegExp(String.raw`import\.meta\.url\)\.path${''}name`),
    because: 'a space in the path of the checkout is %20 there: fileURLToPath()',
  },
  {
    pattern: new RegExp(String.raw`\b(?:test|describe|it|suite)\.(?:on${''}ly|sk${''}ip|to${''}do)\b`),
    because: 'a test runs, or says by an option why it cannot here',
    within: /^test\//,
  },
]

/** The lines of `text` that hold what is banned at `path`. */
export function bannedLines(path: string, text: string): string[] {
  const rules = bannedWords.filter(({ within }) => within === undefined || within.test(path))
  return text.split('\n').flatMap((line, index) => {
    return rules
      .filter(({ pattern }) => pattern.test(line))
      .map(({ because }) => `${path}:${index + 1}: ${because}`)
  })
}

const disableDirective = /(?:ox|es)lint-disable|@ts-(?:ignore|nocheck|expect-error)/
const disableWithReason = /(?:ox|es)lint-disable[a-z-]* [a-z/, -]+ -- \S|@ts-expect-error -- \S/

/** A linter or compiler rule that is switched off without the rule's name and a reason after ` -- `. */
export function unexplainedDisables(path: string, text: string): string[] {
  if (!/^(?:src|test|bench|scripts|console)\/.*\.tsx?$/.test(path)) return []
  return text.split('\n').flatMap((line, index) => {
    const comment = /(?:\/\/|\/\*).*/.exec(line)?.[0] ?? ''
    if (!disableDirective.test(comment) || disableWithReason.test(comment)) return []
    return [`${path}:${index + 1}: name the one rule that is switched off, and why, after " -- "`]
  })
}

const randomOrClock =
  /import (?:type )?\{[^}]*\b(?:randomBytes|randomUUID|randomUUIDv7|randomInt|randomFill|randomFillSync|getRandomValues|performance|env)\b[^}]*\} from '(?:node:)?(?:crypto|perf_hooks|process)'/s

/** An import of entropy, of a clock or of the environment by name, which the linter's rules on globals do not see. */
export function importedPorts(path: string, text: string): string[] {
  if (!path.startsWith('src/') || !path.endsWith('.ts')) return []
  if (path === 'src/kernel/clock.ts' || path === 'src/kernel/random.ts' || path.startsWith('src/cli/'))
    return []
  return randomOrClock.test(text)
    ? [
        `${path}: time and randomness come from src/kernel/clock.ts and src/kernel/random.ts, settings from a config.ts`,
      ]
    : []
}
