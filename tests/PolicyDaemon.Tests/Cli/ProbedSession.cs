using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store.Probing;
using PolicyDaemon.Tests.Store.Probing;

namespace PolicyDaemon.Tests.Cli;

/// <summary>A session whose destinations were probed: <c>mx1.example</c> at 192.0.2.1 showed what a test says.</summary>
/// <param name="cli">The session; null for one of its own.</param>
internal sealed class ProbedSession(CliSession? cli = null) : IDisposable
{
    internal CliSession Cli { get; } = cli ?? new();

    internal void Probe(string key, int[] certificates, DestinationVerdict verdict, PinTransition[]? transitions = null, Finding[]? findings = null)
    {
        using var ledger = new ProbeLedger(Cli.Store, PostfixSettings.Default, Cli.Time);
        var now = Cli.Time.GetUtcNow();
        var observation = new Observation
        {
            Target = LedgerFixture.Target(1),
            At = now,
            Outcome = ProbeOutcome.Secured,
            Stage = ProbeStage.Quit,
            Timings = [new StageTiming(ProbeStage.Connect, TimeSpan.FromMilliseconds(12)), new StageTiming(ProbeStage.Handshake, TimeSpan.FromMilliseconds(30))],
            Transcript = ["S: 220 mx1.example ESMTP", "C: EHLO probe.example"],
            Certificates = [.. certificates.Select(number => new PresentedCertificate(
                LedgerFixture.Certificate(number), [], ChainVerdict.NotTrusted, null, "TLSv1.3", "TLS_AES_256_GCM_SHA384"))],
        };
        ledger.Record(observation);
        ledger.Record(new ProbeResult
        {
            Key = NextHop.Parse(key),
            At = now,
            Resolution = LedgerFixture.Resolution(key, now, 1),
            Targets = [new MxTarget("mx1.example", LedgerFixture.Target(1), now)],
            SecureSince = null,
            WasSecure = false,
            TrustedHosts = null,
            Result = new RotationResult([.. transitions ?? []], [.. (findings ?? []).Select(finding => finding with { Subject = key, Since = now })], verdict, false, false, null),
            NextDue = now.AddHours(4),
        });
    }

    public void Dispose()
    {
        if (cli is null)
            Cli.Dispose();
    }
}
