import type { Command } from 'commander'
import { buildProgram } from '../../src/cli/main.ts'
import { processSession } from '../../src/cli/session.ts'

/** `cli.md`: the help of every verb. */
export async function cliPage(): Promise<string> {
  const program = await buildProgram(processSession({}, new AbortController().signal))
  return `# The command line

In a checkout: \`./hedgerow\`. Tables are for people; \`--json\` is for programs and prints wire forms. Colour and
progress appear on a terminal only. A failure is one sentence on standard error; with
\`--json\` it is a document on standard output too, so that there is always one: \`{"error": {"code", "detail", "errors"}, "exitCode"}\`,
of which \`code\` ([the catalogue](errors.md)) and \`errors\` (\`field\` and \`expected\` of each) are there where they are known.

\`\`\`text
${helpOf(program)}
\`\`\`

${leavesOf(program, [])
  .map(({ path, command }) => `## ${path}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\`\n`)
  .join('\n')}`
}

function leavesOf(command: Command, parents: readonly string[]): { path: string; command: Command }[] {
  const path = [...parents, command.name()]
  if (command.commands.length === 0) return [{ path: path.join(' '), command }]
  return command.commands.flatMap((inner) => leavesOf(inner, path))
}

function helpOf(command: Command): string {
  let help = ''
  command
    .configureOutput({ writeOut: (text) => void (help += text), getOutHelpWidth: () => 110 })
    .outputHelp()
  return help.trim()
}
