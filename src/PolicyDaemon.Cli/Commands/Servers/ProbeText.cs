using System.Globalization;
using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Forecast;
using PolicyDaemon.Administration.Probing;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli.Commands.Servers;

/// <summary>What a probe came to, as a person reads it.</summary>
internal static class ProbeText
{
    internal static Cell Verdict(StoredProbe result)
    {
        var verdict = result.Verdict;
        return new Cell(verdict.Name(), verdict switch
        {
            DestinationVerdict.Ok => Tone.Good,
            DestinationVerdict.Mismatch => Tone.Bad,
            _ => Tone.Caution,
        });
    }

    /// <summary>Addresses seen out of those that DNS names.</summary>
    internal static string Addresses(StoredProbe result)
    {
        var listed = result.Listed.ToList();
        return string.Create(CultureInfo.InvariantCulture, $"{listed.Count(address => address.History.IsConclusive)}/{listed.Count}");
    }

    internal static string Days(StoredProbe result, DateTimeOffset now) => result.FirstExpiry is { } expiry
        ? (Phrases.DaysUntil(expiry, now)).ToString(CultureInfo.InvariantCulture)
        : "";

    /// <summary>What changed in the pins, such as <c>1 new candidate, 1 active</c>.</summary>
    internal static string Moved(StoredProbe result) => string.Join(", ", result.Moved
        .GroupBy(transition => (transition.From is null, transition.To))
        .Select(group => string.Create(CultureInfo.InvariantCulture, $"{group.Count()} {(group.Key.Item1 ? "new " : "")}{group.Key.To?.Name() ?? "forgotten"}")));

    /// <summary>The kind, and what else there is to name: the outcome where it is another word, and its result type of RFC 8460.</summary>
    internal static string Kind(Finding finding)
    {
        var kind = finding.Kind.Name();
        var names = new[] { finding.Outcome?.Name(), finding.Outcome?.ResultType() }.Where(name => name is not null && name != kind).Distinct().ToList();
        return names.Count == 0 ? kind : $"{kind} ({string.Join(", ", names)})";
    }

    internal static string Findings(StoredProbe result) =>
        string.Join(", ", result.Findings.Select(finding => finding.Kind.Name()));

    internal static string Transition(PinTransition transition) =>
        $"{transition.Fingerprint.Hex} {transition.From?.Name() ?? "new"} -> {transition.To?.Name() ?? "forgotten"} ({transition.Rule.Name()}): {transition.Reason}";

    /// <summary>How the last attempt at an address ended, and the keys that it showed.</summary>
    internal static Cell Address(AddressState address, DigestAlgorithm digest)
    {
        var history = address.History;
        if (history.LastAttempt is null)
            return new Cell("not probed", Tone.Caution);
        var keys = StoredProbe.Presented(address).Select(certificate =>
            $"{Phrases.Algorithm(certificate.Algorithm)} {certificate.Digest(PinSubject.PublicKey, digest).Hex}").ToList();
        return keys.Count > 0
            ? string.Join(", ", keys)
            : new Cell(Refusals.Why(history.LastOutcome), history.LastOutcome.IsConclusive() ? Tone.Bad : Tone.Caution);
    }

    internal static string Seen(PresentedKey seen) =>
        $"{seen.PublicKey.Hex} (public key), {seen.Certificate.Hex} (certificate) at {seen.MxHost} [{seen.Target.Address}] since {UtcTime.Text(seen.Since)}";
}
