import type { BasisKind } from '../../protocol/law/basis-record.ts'
import type { NOTICE_LANGUAGES } from '../../protocol/http/officer-api.ts'

export type NoticeLanguage = (typeof NOTICE_LANGUAGES)[number]

/** The sentences of a notice in one language; what they are filled with comes from the terms in force. */
export interface NoticeWords {
  readonly title: (dataSet: string) => string
  readonly headings: Readonly<
    Record<
      | 'controller'
      | 'purpose'
      | 'data'
      | 'recipients'
      | 'transfers'
      | 'retention'
      | 'rights'
      | 'withdrawal'
      | 'complaint'
      | 'source'
      | 'automated',
      string
    >
  >
  readonly unknownParty: (member: string) => string
  readonly officer: (who: string) => string
  readonly representative: (who: string) => string
  /** Who keeps the data, and whether rows of it may leave: they may where the terms offer them to those who allow it. */
  readonly processor: (where: { name: string; territory: string; givesRows: boolean }) => string
  readonly contract: (reference: string, concluded: string) => string
  readonly arrangement: (reference: string, essence: string, contactPoint: string) => string
  /** `from`: the day on which it comes in. */
  readonly subProcessor: (helper: { who: string; task: string; from: string | undefined }) => string
  readonly purposeAndBasis: (purpose: string, basis: string) => string
  readonly partOf: (purpose: string) => string
  readonly kinds: Readonly<Record<BasisKind, string>>
  readonly restsOn: (kind: string, reference: string, until: string) => string
  readonly objectTo: (address: string) => string
  readonly special: (columns: string, basis: string) => string
  readonly columns: (columns: string) => string
  /** After what the controller has said in another language only. */
  readonly untranslated: (texts: string) => string
  readonly whoMayAsk: string
  readonly received: (name: string, countries: string) => string
  readonly nobodyYet: string
  readonly releasePlaces: (places: string) => string
  readonly grounds: (country: string, ground: string) => string
  /** What carries a transfer, before the name of the decision or of the paper. */
  readonly groundKinds: Readonly<Record<'adequacy' | 'scc' | 'bcr', string>>
  readonly noGround: (country: string, who: string) => string
  readonly until: (date: string, period: string) => string
  readonly eachRow: (column: string, period: string) => string
  readonly rights: readonly string[]
  readonly consent: string
  readonly objection: string
  /** `authority`: the name of the controller's own, where it has said it. */
  readonly complaint: (authority: string | undefined) => string
  readonly source: (controller: string) => string
  readonly automated: string
  /** Before the digest of what the notice says, with its colon. */
  readonly version: string
}

const EN: NoticeWords = {
  title: (dataSet) => `What happens with your data: ${dataSet}`,
  headings: {
    controller: 'Who is responsible',
    purpose: 'What for, and on what legal basis',
    data: 'Which data',
    recipients: 'Who gets what',
    transfers: 'Other countries',
    retention: 'How long',
    rights: 'Your rights',
    withdrawal: 'Saying no, or no longer',
    complaint: 'Complaints',
    source: 'Where the data is from',
    automated: 'Decisions by machines',
  },
  unknownParty: (member) => `${member} (has not said yet how to reach it)`,
  officer: (who) => `Data-protection officer: ${who}`,
  representative: (who) => `Representative in the Union: ${who}`,
  processor: ({ name, territory, givesRows }) =>
    `Your data is kept and computed on by ${name} (${territory})${givesRows ? '. Rows of it leave that place only if you allow it.' : ', and does not leave that place.'}`,
  contract: (reference, concluded) =>
    `It does so only as it is instructed, under a contract of ${concluded}: ${reference} (Art. 28).`,
  arrangement: (reference, essence, contactPoint) =>
    `Both decide together how your data is used, by the arrangement ${reference} (Art. 26): ${essence}. You may turn to either, and to ${contactPoint}.`,
  subProcessor: ({ who, task, from }) =>
    `It has help from ${who}${from === undefined ? '' : `, from ${from} on`}: “${task}”.`,
  purposeAndBasis: (purpose, basis) => `Purpose: ${purpose}. Legal basis: ${basis}.`,
  partOf: (purpose) => `It is part of a wider purpose, for which the data may be used: ${purpose}.`,
  kinds: {
    contract: 'a contract to which you are party',
    legal_obligation: 'a legal obligation',
    permit: 'a permit of an authority',
    legitimate_interest: 'an interest that was weighed against yours',
    employment: 'an agreement or law on employment',
  },
  restsOn: (kind, reference, until) => `It rests on ${kind}: ${reference}, until ${until}.`,
  objectTo: (address) => `You may also object here: ${address}.`,
  special: (columns, basis) =>
    `The law protects some of it specially: ${columns}. Its legal basis: ${basis}.`,
  columns: (columns) => `These are kept: ${columns}.`,
  untranslated: (texts) => `The controller has said this in another language only: ${texts}.`,
  whoMayAsk:
    'Members of the network may ask questions. They get answers about groups of people, and rows only of those who allowed that.',
  received: (name, countries) => `${name} received answers (used in: ${countries}).`,
  nobodyYet: 'Nobody has received anything yet.',
  releasePlaces: (places) => `Answers may be used in ${places}.`,
  grounds: (country, ground) => `${country}: on the ground of ${ground}.`,
  groundKinds: {
    adequacy: 'a decision of the European Commission that data is well protected there',
    scc: 'standard contractual clauses',
    bcr: 'binding corporate rules',
  },
  noGround: (country, who) =>
    `${country}: nothing may go to ${who} today, because nothing in law carries it (Art. 44).`,
  until: (date, period) => `For ${period}, until ${date}; then the data is no longer used and is deleted.`,
  eachRow: (column, period) =>
    `Each record is used no longer than ${period} after its own date (${column}), and is then deleted.`,
  rights: [
    'See and receive your data, in a form that machines read (Art. 15, 20)',
    'Have it corrected (Art. 16) or erased (Art. 17)',
    'Have its use restricted (Art. 18), and object to a use (Art. 21)',
    'See who used it, what for, and what it earned you',
  ],
  consent:
    'You may withdraw what you allowed at any time, as easily as you gave it; it holds at once, and what was done before stays lawful (Art. 7(3)).',
  objection: 'You may object to this use at any time (Art. 21); your data is left out from then on.',
  complaint: (authority) =>
    `You may complain to ${authority === undefined ? 'a supervisory authority' : `the supervisory authority (${authority})`}, or to the one where you live (Art. 77).`,
  source: (controller) => `The data comes from ${controller}, which collected it.`,
  automated: 'No decision about you is made by a machine alone (Art. 22).',
  version: 'Version of this notice:',
}

const DE: NoticeWords = {
  title: (dataSet) => `Was mit Ihren Daten geschieht: ${dataSet}`,
  headings: {
    controller: 'Wer verantwortlich ist',
    purpose: 'Wofür, und auf welcher Rechtsgrundlage',
    data: 'Welche Daten',
    recipients: 'Wer was bekommt',
    transfers: 'Andere Länder',
    retention: 'Wie lange',
    rights: 'Ihre Rechte',
    withdrawal: 'Nein sagen, oder nicht mehr',
    complaint: 'Beschwerden',
    source: 'Woher die Daten stammen',
    automated: 'Entscheidungen durch Maschinen',
  },
  unknownParty: (member) => `${member} (hat noch nicht gesagt, wie es zu erreichen ist)`,
  officer: (who) => `Datenschutzbeauftragte Person: ${who}`,
  representative: (who) => `Vertreter in der Union: ${who}`,
  processor: ({ name, territory, givesRows }) =>
    `Ihre Daten werden von ${name} (${territory}) aufbewahrt und ausgewertet${givesRows ? '. Zeilen daraus verlassen diesen Ort nur, wenn Sie es erlauben.' : ' und verlassen diesen Ort nicht.'}`,
  contract: (reference, concluded) =>
    `Das geschieht nur nach Weisung, unter einem Vertrag vom ${concluded}: ${reference} (Art. 28).`,
  arrangement: (reference, essence, contactPoint) =>
    `Beide entscheiden gemeinsam, wie Ihre Daten verwendet werden, nach der Vereinbarung ${reference} (Art. 26): ${essence}. Sie können sich an jeden von ihnen wenden, und an ${contactPoint}.`,
  subProcessor: ({ who, task, from }) =>
    `Dabei hilft ${who}${from === undefined ? '' : `, ab dem ${from}`}: „${task}“.`,
  purposeAndBasis: (purpose, basis) => `Zweck: ${purpose}. Rechtsgrundlage: ${basis}.`,
  partOf: (purpose) =>
    `Er gehört zu einem weiteren Zweck, für den die Daten verwendet werden dürfen: ${purpose}.`,
  kinds: {
    contract: 'einem Vertrag, dessen Partei Sie sind',
    legal_obligation: 'einer rechtlichen Verpflichtung',
    permit: 'einer Genehmigung einer Behörde',
    legitimate_interest: 'einem Interesse, das gegen Ihres abgewogen wurde',
    employment: 'einer Vereinbarung oder einem Gesetz zur Beschäftigung',
  },
  restsOn: (kind, reference, until) => `Sie beruht auf ${kind}: ${reference}, bis zum ${until}.`,
  objectTo: (address) => `Sie können auch hier widersprechen: ${address}.`,
  special: (columns, basis) =>
    `Einen Teil davon schützt das Gesetz besonders: ${columns}. Rechtsgrundlage dafür: ${basis}.`,
  columns: (columns) => `Aufbewahrt werden: ${columns}.`,
  untranslated: (texts) => `Das hat der Verantwortliche nur in einer anderen Sprache gesagt: ${texts}.`,
  whoMayAsk:
    'Mitglieder des Netzes dürfen Fragen stellen. Sie bekommen Antworten über Gruppen von Menschen, und Zeilen nur von denen, die das erlaubt haben.',
  received: (name, countries) => `${name} hat Antworten bekommen (verwendet in: ${countries}).`,
  nobodyYet: 'Bisher hat niemand etwas bekommen.',
  releasePlaces: (places) => `Antworten dürfen hier verwendet werden: ${places}.`,
  grounds: (country, ground) => `${country}: auf folgender Grundlage: ${ground}.`,
  groundKinds: {
    adequacy: 'Beschluss der Europäischen Kommission, dass Daten dort gut geschützt sind',
    scc: 'Standardvertragsklauseln',
    bcr: 'verbindliche interne Vorschriften',
  },
  noGround: (country, who) =>
    `${country}: an ${who} darf heute nichts gehen, weil es dafür keine Rechtsgrundlage gibt (Art. 44).`,
  until: (date, period) =>
    `Für ${period}, bis zum ${date}; danach werden die Daten nicht mehr verwendet und gelöscht.`,
  eachRow: (column, period) =>
    `Jeder Eintrag wird höchstens ${period} ab seinem eigenen Datum (${column}) verwendet und danach gelöscht.`,
  rights: [
    'Ihre Daten sehen und in maschinenlesbarer Form bekommen (Art. 15, 20)',
    'Sie berichtigen (Art. 16) oder löschen lassen (Art. 17)',
    'Ihre Verwendung einschränken lassen (Art. 18) und einer Verwendung widersprechen (Art. 21)',
    'Sehen, wer sie wofür verwendet hat und was das Ihnen eingebracht hat',
  ],
  consent:
    'Sie können jederzeit widerrufen, was Sie erlaubt haben, so einfach, wie Sie es erlaubt haben; das gilt sofort, und was vorher geschah, bleibt rechtmäßig (Art. 7 Abs. 3).',
  objection:
    'Sie können dieser Verwendung jederzeit widersprechen (Art. 21); Ihre Daten bleiben dann außen vor.',
  complaint: (authority) =>
    `Sie können sich bei ${authority === undefined ? 'einer Aufsichtsbehörde' : `der Aufsichtsbehörde (${authority})`} beschweren, oder bei der an Ihrem Wohnort (Art. 77).`,
  source: (controller) => `Die Daten stammen von ${controller}, dort wurden sie erhoben.`,
  automated: 'Keine Entscheidung über Sie fällt allein durch eine Maschine (Art. 22).',
  version: 'Fassung dieses Hinweises:',
}

const FR: NoticeWords = {
  title: (dataSet) => `Ce qui est fait de vos données : ${dataSet}`,
  headings: {
    controller: 'Qui est responsable',
    purpose: 'Pour quoi, et sur quelle base légale',
    data: 'Quelles données',
    recipients: 'Qui reçoit quoi',
    transfers: 'Autres pays',
    retention: 'Combien de temps',
    rights: 'Vos droits',
    withdrawal: 'Dire non, ou ne plus dire oui',
    complaint: 'Réclamations',
    source: 'D’où viennent les données',
    automated: 'Décisions automatisées',
  },
  unknownParty: (member) => `${member} (n’a pas encore dit comment le joindre)`,
  officer: (who) => `Délégué à la protection des données : ${who}`,
  representative: (who) => `Représentant dans l’Union : ${who}`,
  processor: ({ name, territory, givesRows }) =>
    `Vos données sont conservées et traitées par ${name} (${territory})${givesRows ? '. Des lignes n’en sortent que si vous le permettez.' : ' et ne quittent pas ce lieu.'}`,
  contract: (reference, concluded) =>
    `Cela se fait sur instruction seulement, sous un contrat du ${concluded} : ${reference} (art. 28).`,
  arrangement: (reference, essence, contactPoint) =>
    `Tous deux décident ensemble de l’usage de vos données, selon l’accord ${reference} (art. 26) : ${essence}. Vous pouvez vous adresser à chacun d’eux, et à ${contactPoint}.`,
  subProcessor: ({ who, task, from }) =>
    `Avec l’aide de ${who}${from === undefined ? '' : `, à partir du ${from}`} : « ${task} ».`,
  purposeAndBasis: (purpose, basis) => `Finalité : ${purpose}. Base légale : ${basis}.`,
  partOf: (purpose) =>
    `Elle fait partie d’une finalité plus large, pour laquelle les données peuvent être utilisées : ${purpose}.`,
  kinds: {
    contract: 'un contrat auquel vous êtes partie',
    legal_obligation: 'une obligation légale',
    permit: 'une autorisation d’une autorité',
    legitimate_interest: 'un intérêt mis en balance avec le vôtre',
    employment: 'un accord ou une loi sur l’emploi',
  },
  restsOn: (kind, reference, until) => `Elle repose sur ${kind} : ${reference}, jusqu’au ${until}.`,
  objectTo: (address) => `Vous pouvez aussi vous opposer ici : ${address}.`,
  special: (columns, basis) =>
    `La loi en protège une partie spécialement : ${columns}. Base légale : ${basis}.`,
  columns: (columns) => `Sont conservées : ${columns}.`,
  untranslated: (texts) => `Le responsable ne l’a dit que dans une autre langue : ${texts}.`,
  whoMayAsk:
    'Les membres du réseau peuvent poser des questions. Ils reçoivent des réponses sur des groupes de personnes, et des lignes seulement de celles qui l’ont permis.',
  received: (name, countries) => `${name} a reçu des réponses (lieu d’utilisation : ${countries}).`,
  nobodyYet: 'Personne n’a encore rien reçu.',
  releasePlaces: (places) => `Les réponses peuvent être utilisées ici : ${places}.`,
  grounds: (country, ground) => `${country} : sur le fondement suivant : ${ground}.`,
  groundKinds: {
    adequacy: 'décision de la Commission européenne selon laquelle les données y sont bien protégées',
    scc: 'clauses contractuelles types',
    bcr: 'règles d’entreprise contraignantes',
  },
  noGround: (country, who) =>
    `${country} : rien ne peut aller à ${who} aujourd’hui, faute de fondement juridique (art. 44).`,
  until: (date, period) =>
    `Pendant ${period}, jusqu’au ${date} ; ensuite les données ne sont plus utilisées et sont effacées.`,
  eachRow: (column, period) =>
    `Chaque enregistrement est utilisé au plus ${period} à compter de sa propre date (${column}), puis effacé.`,
  rights: [
    'Voir vos données et les recevoir sous une forme lisible par machine (art. 15, 20)',
    'Les faire rectifier (art. 16) ou effacer (art. 17)',
    'Faire limiter leur usage (art. 18) et vous opposer à un usage (art. 21)',
    'Voir qui les a utilisées, pour quoi, et ce que cela vous a rapporté',
  ],
  consent:
    'Vous pouvez retirer à tout moment ce que vous avez permis, aussi simplement que vous l’avez donné ; c’est immédiat, et ce qui a été fait avant reste licite (art. 7, par. 3).',
  objection:
    'Vous pouvez vous opposer à cet usage à tout moment (art. 21) ; vos données en sont alors exclues.',
  complaint: (authority) =>
    `Vous pouvez adresser une réclamation à ${authority === undefined ? 'une autorité de contrôle' : `l’autorité de contrôle (${authority})`}, ou à celle de votre lieu de résidence (art. 77).`,
  source: (controller) => `Les données viennent de ${controller}, qui les a collectées.`,
  automated: 'Aucune décision vous concernant n’est prise par une machine seule (art. 22).',
  version: 'Version de cet avis :',
}

/** The sentences by language. */
export const NOTICE_WORDS: Readonly<Record<NoticeLanguage, NoticeWords>> = { en: EN, de: DE, fr: FR }
