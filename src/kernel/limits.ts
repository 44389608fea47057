/** Bounds that hold everywhere. Each has a name and a reason; none is repeated as a number elsewhere. */
export const LIMITS = {
  /** Longest text of a question, and of it with its parameters: analysts' queries are far smaller, and parsing must stay under 50 ms. */
  queryTextBytesMax: 65_536,
  /** Nesting of the query tree: deeper ones only come from attacks on the parser's stack. */
  queryDepthMax: 64,
  /** Words and signs of a question: bounds what the grammar has to do, whatever it makes of them. */
  queryTokensMax: 3_000,
  /** Bytes of a text that is written out that count as one more node: a parameter may be named many times. */
  queryTextBytesPerNode: 64,
  /** Nodes of one expression with derived columns written out: what is printed stays in proportion to what was asked. */
  queryExpressionSizeMax: 2_000,
  /** How many stored texts long a text that a question makes may be: each person's row stays about as dear as it is. */
  queryTextCopiesMax: 64,
  /**
   * How many stored texts long the texts are together that a question makes of one row: an engine keeps each for 2,048 rows at once, beside the memory
   * that it may use. Of stored ones of 96 bytes this many took 240 MB; 300 times repeat(x, 64) took 4.6 GB.
   * It is no bound of bytes: of stored texts of 2,000 bytes 800 take 3.1 GB, so long notes need as much beside the vault's own memory.
   */
  queryTextsMadeMax: 1_000,
  /** Bytes of a stored text, for texts that a question writes itself or fills up: so many of them count as one. */
  queryStoredTextBytes: 96,
  /** Bytes of one JSON document or list of a row, its levels, and values of a list: each person's row stays about as dear to read as another's. */
  jsonDocumentBytesMax: 64 * 1024,
  jsonDepthMax: 32,
  listItemsMax: 1_000,
  queryJoinsMax: 8,
  /**
   * Sums and counts of one question, with those that they are made of: a covariance is made of eight, and a sum of what conditions decide can come
   * to forty. An engine takes some 2 ms and 200 kB to plan each. 64 columns of any one aggregate are below it.
   */
  queryMeasuresMax: 512,
  /** Groups times sums and counts: each is a set of people that is kept until the answer is decided, some 900 bytes. */
  queryFiguresMax: 250_000,
  /** Rows of a relation that is written out in a question: each becomes a branch of an expression. */
  queryWrittenRowsMax: 200,
  /** Rows of all `generate_series` of a question together: a few signs of the text are many nodes of its tree. */
  querySeriesRowsMax: 1_000,
  /** Rows are read once for each set. */
  queryGroupingSetsMax: 16,
  /** Asks that one question is taken apart into before the last: each has a price, and each cuts what may be asked later. */
  stagesMax: 8,
  queryOutputColumnsMax: 64,
  /** Rows up to which people are gathered as a list of their numbers, which is faster than bit strings but takes 4 bytes a row. */
  queryListedPeopleMax: 32_000_000,
  /** Groups that one aggregate may give before suppression. */
  queryGroupsMax: 10_000,
  releaseRowsMax: 100_000,
  /** Before it is sealed. Padded, sealed and in base64 it grows by up to two thirds, and has to fit into one request. */
  releaseBytesMax: 4 * 1024 * 1024,
  queryTimeoutMs: 30_000,
  /** A body of a request to a door; batches of asks and pages of grants fit. */
  requestBytesMax: 8 * 1024 * 1024,
  /** The same where anybody may send it, unknown: a request to a witness with the most checkpoints is half of this. */
  unknownBytesMax: 1024 * 1024,
  /** Pieces of a body of unknown length, some for each of its kilobytes beside: each costs some microseconds, however small it is. */
  bodyPiecesMax: 16_384,
  bodyPiecesPerKilobyteMax: 16,
  /** A token that is to be exchanged, which is read before it is known whose it is: a signed text of half a kilobyte. */
  exchangeBytesMax: 16 * 1024,
  asksPerBatchMax: 500,
  /** Decisions that an enforcement point asks for in one request: at a million people each takes some milliseconds. */
  evaluationsAtOnceMax: 100,
  /** Requests with asks that wait to be booked: two seconds or so of work; past it, senders are told to come again. */
  asksWaitingMax: 5_000,
  /** Asks that the network knows without reading them back while they are answered: some 5 MB. */
  asksUnderWayMax: 1_000,
  /** How long after an ask has expired its site may still send the clearing record; then what is held is freed. */
  clearingWindowMs: 24 * 60 * 60_000,
  /** Work items that one pull gives. */
  workItemsMax: 100,
  /** Checkpoints that wait to be shown to a witness: each is 300 bytes; past it the oldest are let go, and later ones cover the same. */
  checkpointsToWitnessMax: 2_000,
  /** Between rounds of showing checkpoints to a witness: nothing waits for it, and it is not to be felt beside what does. */
  witnessPauseMs: 1_000,
  /** For how long showing checkpoints waits for a lull at a site that is asked all the time. */
  witnessPatienceMs: 5_000,
  /** A request to a witness: a checkpoint with its signatures and up to 63 hashes. */
  witnessRequestBytesMax: 32_768,
  /** How often the log of a network says that somebody unknown was refused for the same reason: who retries does so each second. */
  refusalsToldEveryMs: 10 * 60_000,
  /** The manifest of a backup names some hundred files and tables. */
  backupManifestBytesMax: 4 * 1024 * 1024,
  /** Checkpoints that are shown in one request: some milliseconds of verifying, with others served in between. */
  witnessCheckpointsAtOnceMax: 16,
  pageSizeDefault: 50,
  pageSizeMax: 500,
  longPollMs: 25_000,
  /** For how long a door keeps a connection on which nothing comes: longer than proxies before it do, which mostly is 60 s. */
  idleConnectionMs: 75_000,
  /** Within this the head of a request has to come: who sends it byte by byte holds a connection no longer. */
  requestHeadMs: 20_000,
  /** The least of a body that has to come, looked at every so often; twice in a row less ends the connection. */
  bodyPace: { lookMs: 20_000, bytesMin: 2_048 },
  /** Looks at answers that are not taken: an answer of 8 MB may take that long over a line of half a megabit. */
  answerLookMs: 150_000,
  /** Connections of a door: each takes a file of the process, and with a request some 50 kB. */
  connectionsMax: 5_000,
  /** Those of one address: a proxy that hands on what others ask keeps some hundreds. */
  connectionsOfAddressMax: 1_000,
  /** Requests that wait on one connection for the answer to the one before: no client that is known sends even two. */
  requestsWaitingOnConnectionMax: 32,
  /** What is reckoned with where a server does not announce it; those that keep connections shortest keep them for 5 s. */
  unannouncedConnectionMs: 5_000,
  /** Tokens live at most this long (RFC 7523 asks for "reasonable"; five minutes is ours). */
  tokenLifetimeMsMax: 5 * 60_000,
  /** How long after a site's answer it may be disputed: an invoice comes within it, and money is not in doubt for longer. */
  disputeWindowMs: 30 * 86_400_000,
  /** How long the other side has to answer a dispute, before it can be decided without. */
  disputeAnswerMs: 14 * 86_400_000,
  /** How long the texts of a dispute are kept after its last step: who goes to a court about it has its own copies by then. */
  disputeTextMs: 365 * 86_400_000,
  /** Two machines' clocks may differ by this much before a token or an ask is refused. */
  clockSkewMsMax: 60_000,
  /** A floor limit is used no more this long before it ends: no run takes longer, so none is booked after the end. */
  floorLimitTailMs: 3 * 60_000,
  /** How long a floor limit may live: what is held for it cannot be spent elsewhere. */
  floorLimitLifetimeMsMax: 31 * 24 * 60 * 60_000,
  /** How long after a floor limit has ended its site may be cut off and still clear, unless more is said. */
  floorLimitClearMs: 7 * 24 * 60 * 60_000,
  floorLimitClearMsMax: 90 * 24 * 60 * 60_000,
  /** How long an `Idempotency-Key` counts: who has not heard the answer asks again within days. */
  idempotencyWindowMs: 7 * 24 * 60 * 60_000,
  askLifetimeMsMax: 24 * 60 * 60_000,
  /** How long a site keeps a sealed release that has gone out: past the life of any ask, so that nobody is still waiting for it. */
  sealedReleaseMs: 30 * 24 * 60 * 60_000,
  /** How long an answer is kept for equal asks; later ones are computed, and guarded, anew. */
  storedReleaseMs: 90 * 24 * 60 * 60_000,
  /** How many people one site numbers; keeps bitmaps and partitions within memory. */
  peoplePerSiteMax: 50_000_000,
  importLineProblemsReportedMax: 20,
  /** Bytes of one line of a text: what the engine reads in one piece. It leaves out, unsaid, a line that is longer than its buffers. */
  importLineBytesMax: { csv: 2_000_000, ndjson: 16_000_000 },
  /** How many times larger than packed a text may be, once it is past what costs nothing. Measurements reach 50; a bomb 1,000. */
  importUnpackedFactorMax: 250,
  /** The same of Parquet, by eight bytes a cell: it writes a value that repeats once, and eight kilobytes hold billions of it. */
  importParquetFactorMax: 1_000,
  importUnpackedFreeBytes: 64 * 1024 * 1024,
  /** Rows after which a long import is made durable, and so the most that one that was killed does again. */
  importPartRows: 1_000_000,
  /** Left on a site's disk by an import: a segment of the record's log (16 MiB), and room to undo and to erase. */
  diskReserveBytes: 32 * 1024 * 1024,
  /** People that an import numbers in one go: bounds memory, and how long others wait for the vault. */
  importPeopleAtOnce: 10_000,
  /** People without rows whom one certificate is of at most, about: bounds what a crash leaves half done. */
  erasedAtOnce: 10_000,
  /** Changes of the vault that are kept in memory while it is copied, to be made in the copy; past that it is copied anew. */
  copyJournalBytes: 64 * 1024 * 1024,
  /** How long anything that computes over many goes on before others are let in: a call is several such waits. */
  computingTurnMs: 4,
  /** How long a sweep keeps an import waiting at a time, about; to forget anybody takes some of it, however few there are. */
  importTurnMs: 200,
  /** How long the site's own work keeps changes of grants waiting at a time: half of what one may take, and it has to be made too. */
  grantTurnMs: 10,
  /** Memory of the engine that reads a file: buffers, and the keys of its people. */
  importReaderMemoryMiB: 768,
  /** Memory of the vault's engine. What needs more is refused, because spilling would write people's rows beside the vault. */
  vaultMemoryMiB: 1_024,
  vaultThreads: 2,
  /** Permitted statements that run at once; the engine's threads are shared by all. */
  vaultStatementsAtOnceMax: 4,
  /** The same of what the site reads at length for itself. */
  vaultReadsApartMax: 2,
  /** Questions that are remembered to have been asked, a hint that their answers may be stored: 100 bytes each. */
  questionsRememberedMax: 10_000,
  /** Tables of eligible people that are kept for equal asks while nobody holds them: 4 bytes a person each. */
  vaultIdleEligibleTablesMax: 4,
  /** Positions of a perimeter's polygon: checking that it does not cross itself grows with their square. */
  polygonPositionsMax: 2_000,
  /** A statement of place is renewed at least once a year: machines move. */
  evidenceLifetimeMsMax: 366 * 24 * 60 * 60_000,
  /** Grants or revocations in one call: one transaction, one receipt each (a signature takes about 70 µs). */
  grantsPerCallMax: 100_000,
  /** Parents, foster parents, a guardian by court: each is asked where they decide together. */
  guardiansPerChildMax: 8,
  /** Releases that one notice to a recipient names, the newest: a hundred bytes each, within one request. */
  noticeReleasesMax: 10_000,
  /** Releases in one order to withdraw them. */
  withdrawalsPerOrderMax: 500,
} as const
