using CsCheck;
using PolicyDaemon.Core.Observations;
using Xunit;
using static PolicyDaemon.Tests.Store.Probing.LedgerFixture;

namespace PolicyDaemon.Tests.Store.Probing;

/// <summary>The rows against the pure history that they stand for.</summary>
public sealed class LedgerModelTests
{
    private static readonly ProbeOutcome[] Nothing =
        [ProbeOutcome.Timeout, ProbeOutcome.ConnectionRefused, ProbeOutcome.StartTlsNotSupported, ProbeOutcome.GreetingTemporary, ProbeOutcome.PlaintextInjected];

    /// <summary>A probe: of which target, after how many hours, and what it showed.</summary>
    private static readonly Gen<(int Target, int Seconds, int[] Shown, int Failure, bool Absent, bool Restart)> GenProbe =
        Gen.Select(Gen.Int[1, 2], Gen.Int[-1, 30], Gen.Int[0, 3].Array[0, 2], Gen.Int[0, 4], Gen.Bool, Gen.Int[0, 9].Select(number => number == 0));

    [Fact]
    public void Whatever_is_seen_in_whatever_order_is_remembered_as_the_history_says() =>
        GenProbe.Array[1, 60].Sample(
            probes =>
            {
                using var fixture = new LedgerFixture();
                var model = new Dictionary<int, AddressHistory> { [1] = new(Target(1)), [2] = new(Target(2)) };
                var now = fixture.Now;
                // Nothing is seen in the future.
                fixture.Store.Time.Advance(TimeSpan.FromHours(1));
                foreach (var (target, seconds, shown, failure, absent, restart) in probes)
                {
                    // An observation may come late; it is then passed over.
                    var at = now.AddSeconds(seconds);
                    now = at > now ? at : now;
                    // At most one certificate of each algorithm, as a server has them.
                    var certificates = shown.DistinctBy(number => Certificate(number).Algorithm).ToArray();
                    var seen = fixture.Observation(target, certificates.Length > 0 ? ProbeOutcome.Secured : Nothing[failure], certificates) with
                    {
                        At = at,
                        Absent = absent && certificates.Length == 1
                            ? [Certificate(certificates[0]).Algorithm == KeyAlgorithm.Rsa ? KeyAlgorithm.Ecdsa : KeyAlgorithm.Rsa]
                            : [],
                    };
                    fixture.Ledger.Record(seen);
                    model[target] = model[target].With(seen);
                    if (restart)
                    {
                        fixture.Ledger.Dispose();
                        fixture.Ledger = fixture.Open();
                    }
                }

                using var other = fixture.Open();
                foreach (var (target, history) in model)
                {
                    ProbeLedgerTests.AssertSame(history, fixture.Ledger.ReadHistory(Target(target)));
                    ProbeLedgerTests.AssertSame(history, other.ReadHistory(Target(target)));
                }
            },
            iter: 25, threads: 1);
}
