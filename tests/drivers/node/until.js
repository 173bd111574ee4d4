// Waiting for a condition: the one place that asks again and again.

const DEADLINE = 30_000;

// Asks the condition until its answer is true, and returns that answer. Each asking costs a round trip to the server,
// which is pause enough; the deadline only keeps a broken queue from hanging the run.
async function until(condition) {
  const end = Date.now() + DEADLINE;
  for (;;) {
    const answer = await condition();
    if (answer) return answer;
    if (Date.now() > end) throw new Error('the condition did not come true');
  }
}

module.exports = { until, DEADLINE };
