import type { Command } from 'commander'
import { printBases } from '../officer/officer-basis.ts'
import { addPersonOptions, personRecords } from './person.ts'
import type { PersonOptions } from './person.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { say } from '../terminal.ts'
import { perform, verb } from '../verb.ts'

/** `hedgerow person bases`: on what else than their own grants a person's data may be used. */
export function addPersonBasesVerb(program: Command, session: Session): void {
  const person = program.commands.find((command) => command.name() === 'person') ?? program.command('person')
  addPersonOptions(
    verb(person, {
      name: 'bases',
      summary: 'on which legal bases other than consent a person’s data may be used, and what they rest on',
      example: 'hedgerow person bases --site galway --token-file my.token',
    }),
  ).action((options: PersonOptions) =>
    perform(session, async () => {
      const found = await (await personRecords(session, options)).bases()
      show(session, {
        json: options.json,
        value: found,
        print: (items) => {
          if (items.length === 0)
            return say(session.terminal, 'Only what the person grants: no other basis covers them')
          printBases(session, items)
          say(session.terminal, 'Object to a purpose with "hedgerow person object --purpose TERM"')
        },
      })
    }),
  )
}
