using PolicyDaemon.Administration.Postfix;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Cli.Setup.Checks;

/// <summary>Partners who are not there while their rows come in: their pins cannot be proven, and whoever waits for them waits for nothing else.</summary>
internal static class OutOfReachCheck
{
    internal static IEnumerable<SetupResult> Run(SetupSubject subject)
    {
        if (OlderTableText.OutOfReach(subject.Older, subject.Settings.Postfix.FingerprintDigest.Name(), subject.InTheWay.Count > 0) is { } text)
        {
            yield return new(
                "out-of-reach", SetupSeverity.Warning, text,
                [.. subject.Older.SelectMany(table => table.OutOfReach).Distinct().Select(key => (SetupCommand)$"policyctl probe {Shell.Quote(key.Text)}")]);
        }
    }
}
