using System.Globalization;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Cli.Checking;

/// <summary>Whether mail would go through now, at the level that is configured or, without an entry, at the strongest that could be set.</summary>
/// <param name="Verdict">The verdict; unknown where DNS ended the search.</param>
/// <param name="Text">In words, with the reason.</param>
/// <param name="Tone">How good that is.</param>
/// <param name="Code">The exit code that says the same.</param>
internal sealed record DeliveryForecast(DestinationVerdict Verdict, string Text, Tone Tone, ExitCode Code)
{
    internal static DeliveryForecast Of(CheckResult result)
    {
        if (!result.Resolution.Worked)
            return OfDns(result.Resolution);
        if (result.Entry is { } entry)
        {
            var verdict = result.Visit.Round.Result.Verdict;
            return At(result, entry.Policy.Level, verdict, isEnforced: !entry.Observe);
        }

        return result.Strongest switch
        {
            null => At(result, TlsLevel.May, Worst(result), isEnforced: true),
            { Level: TlsLevel.May } => new DeliveryForecast(
                DestinationVerdict.Mismatch, "only in plain text: no server offers TLS that works; at every level from encrypt on mail would be deferred",
                Tone.Bad, ExitCode.Negative),
            var strongest => At(result, strongest.Level, strongest.Verdict, isEnforced: false),
        };
    }

    private static DestinationVerdict Worst(CheckResult result) =>
        result.Levels.IsEmpty ? DestinationVerdict.Unknown : result.Levels[^1].Verdict;

    private static DeliveryForecast OfDns(MxResolution resolution) => resolution.Outcome switch
    {
        ProbeOutcome.NullMx => new(
            DestinationVerdict.Unknown, "returned at once: the domain takes no mail (null MX, RFC 7505)", Tone.Bad, ExitCode.Negative),
        ProbeOutcome.NoMx when CannotBeLookedUp(resolution.NextHop) => new(
            DestinationVerdict.Unknown, $"cannot be told: {resolution.Detail}", Tone.Caution, ExitCode.Inconclusive),
        // smtp/smtp_addr.c: a name without address is "Host or domain name not found", 5.4.4.
        ProbeOutcome.NoMx => new(
            DestinationVerdict.Unknown, "returned at once (5.4.4): there is nowhere to send it", Tone.Bad, ExitCode.Negative),
        ProbeOutcome.Bogus => new(
            DestinationVerdict.Unknown, "deferred where the resolver validates: DNSSEC says that the answer was tampered with", Tone.Bad, ExitCode.Negative),
        _ => new(
            DestinationVerdict.Unknown, "cannot be told: the lookup failed here, which says nothing about the destination", Tone.Caution, ExitCode.Inconclusive),
    };

    /// <summary>Postfix may know where such a key leads; nothing here does.</summary>
    private static bool CannotBeLookedUp(NextHop key) =>
        key.IsPath || (key.Port is null && key.Text.LastIndexOf(':') > key.Text.LastIndexOf(']') && key.Text.Count(character => character == ':') == 1);

    private static DeliveryForecast At(CheckResult result, TlsLevel level, DestinationVerdict verdict, bool isEnforced)
    {
        var at = isEnforced ? $"at level {level.Name()}" : $"if enforced now at level {level.Name()}";
        var would = isEnforced ? "" : "would be ";
        var (accepted, refused) = Counts(result);
        return verdict switch
        {
            DestinationVerdict.Ok => new(verdict, $"{would}delivered {at}", Tone.Good, ExitCode.Done),
            DestinationVerdict.Degraded => new(
                verdict, string.Create(CultureInfo.InvariantCulture, $"{would}delivered {at}, but not through every address: {refused}"), Tone.Caution, ExitCode.Negative),
            DestinationVerdict.Mismatch => new(
                verdict, $"{would}deferred {at}, and tried again until it is returned: {refused}", Tone.Bad, ExitCode.Negative),
            DestinationVerdict.Unreachable when result.Visit.Addresses.All(address => address.Seen.Outcome == ProbeOutcome.AddressNotAllowed) => new(
                verdict, "cannot be told: no address was visited, because private_addresses = no in [probe]", Tone.Caution, ExitCode.Inconclusive),
            DestinationVerdict.Unreachable => new(
                verdict, "cannot be told: no address could be reached from here; mail waits as long as that is so", Tone.Caution, ExitCode.Inconclusive),
            _ => new(verdict, accepted == 0 && result.Visit.Addresses.IsEmpty
                ? "cannot be told: there is no address to visit"
                : level == TlsLevel.DaneOnly ? $"cannot be told {at}: {LevelForecasts.Unvouched}"
                : $"cannot be told {at}: the entry has no pin that could be compared", Tone.Caution, ExitCode.Inconclusive),
        };
    }

    /// <summary>How many addresses would accept, and the reason of the first others.</summary>
    private static (int Accepted, string Refused) Counts(CheckResult result)
    {
        const int Shown = 3;
        var refusals = Refusals.Of(result).ToList();
        var text = string.Join("; ", refusals.Take(Shown).Select(refusal => $"{refusal.Where} {refusal.Why}"));
        return (
            result.Visit.Addresses.Length - refusals.Count,
            refusals.Count > Shown ? string.Create(CultureInfo.InvariantCulture, $"{text}; and {refusals.Count - Shown} more") : text);
    }
}
