/**
 * What stands below a benchmark's table in docs/performance.md: why a curve grows as it does, and where the time goes of what falls short
 * of its budget. The figures in here are of the runs that the page shows, or of a CPU profile of the same benchmark
 * (`node --cpu-prof bench/NAME.ts`).
 */
export const EXPLAINED: Readonly<Record<string, readonly string[]>> = {
  stream: [
    'Where the time goes: by a CPU profile, of the time that an append takes 57 % is beginning and committing transactions (the log beside ' +
      'the file, its sync to the disk, its pages into the file), 43 % the inserts, sixteen rows a statement; nothing else of it has 1 %. What is left ' +
      'to gain is fewer commits, so larger batches, which producers decide. From one process to another a record waits for its commit and ' +
      'then for the next look, a millisecond apart: the timers of the runtime are no finer.',
  ],
  bronze: [
    'Where the time goes: by a CPU profile of the landing, 32 % is reading the rows from the stream’s file, each of which becomes an object; ' +
      '26 % reads the messages, off the bytes where one differs from one before only in numbers and time; 15 % hands columns to the engine. The limit does ' +
      'the typing inside the engine, on two threads, of messages that are all alike, and knows neither offsets nor messages that are no readings.',
  ],
  silver: [
    'Where the time of a rebuild goes stands above, by statement. The budget of 500,000/s is what reading and writing the same rows takes ' +
      'on these two cores, without a rule: that is the limit. A third is writing itself (44 columns, sorted, compressed); the ' +
      'rest are the windows of a channel in order of time (`methods`, `windows`, `arrivals_in_order`), of which a rule that looks at the reading before needs at ' +
      'least one. A step costs what is new: after a day, thirty days and three years it is the same. A reading that is late costs its neighbourhood: its device ' +
      'is refined from there to where its channels carry again what they carried before, which is tried with two hours, two days and two weeks of its readings.',
  ],
  gold: [
    'Where the time of a rebuild goes stands above, by statement. The budget of five million rows a second is more than ten times the limit, which reads and writes ' +
      'every row of Silver; an engine that only adds up a few columns is faster than that, but energy by quarter-hours, outages and expected intervals need the rows of a ' +
      'channel in order of time (`loaded_readings`, `device_rows`: a fifth to a third of the time). A step costs what the touched days hold.',
  ],
  lake: [
    'Opening fifty thousand files costs what their statistics cost, 20 MB of text. By a CPU profile of 24 openings a third is waiting for the engine, which reads the columns; 17 % is cutting ' +
      'what it gives into 250,000 texts, 16 % taking them up as files, 14 % collecting what is left over, and nothing else has more than 6 %. What is asked of a table later is pruned with them in milliseconds. ' +
      'A checkpoint is made of the same texts, the other way.',
  ],
  decoders: [
    'The goal of 200,000 messages a second is above what making text of the bytes and parsing the JSON takes by itself, which is the limit. By a CPU profile a quarter ' +
      'of the decoding is that; the rest spreads over reading topics, units and times, no function with more than 6 %.',
  ],
  api: [
    'What an answer costs that nobody has asked for: by a CPU profile 70 to 80 % of a small statement is its planning, and an Overview asks two to five, a bill four. Days and months that are ' +
      'over are answered once for every range that holds them, and the rows of their files stay in memory from the second question on. A bill reads the hours of its month, one file, ' +
      'and so does a device over 30 days. The first question of a process takes longest: its code is not compiled yet, and no file is open. The twenty people ask what has been asked before in ' +
      'the same run.',
  ],
  growth: [
    '**Time to rebuild** grows with the readings and with nothing else: 9 to 12 µs a reading in Silver and 5 to 8 µs in Gold, whether they are of ' +
      'many devices or of many days, above a fixed cost of the statements (0.3 s and 1.3 s) that shows below ten thousand readings.',
    '**Memory of a rebuild** grows until the engine has what it may take (here 1,024 MB, by default 640; the process comes on top), and then stays: dates and months ' +
      'are worked off in parts. **Memory of the stages** is that of a running platform: the program, and a row for each channel’s newest state.',
    '**New readings** cost the same after a day and after three years, since a step reads the touched quarter-hours and states, not history; of a thousand ' +
      'devices it looks at more states. **The first step after a start** reads the list of files and the newest states: it grows with the files.',
    '**Files** grow with days, one a day in Bronze, Silver and Gold’s quarter-hours, and with months in the rest of Gold; devices add none until a day’s file is full. **Bytes** ' +
      'grow with readings: 4–5 B in Bronze, 10 in Silver, and about 1 in Gold, whose quarter-hours are as many for a reading a minute as for one a second.',
    '**An overview** reads Gold’s hours and days of its own range, so history does not matter, and devices do: its rows are theirs.',
  ],
}
