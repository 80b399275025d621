using System.Collections.Immutable;
using PolicyDaemon.Administration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Probe.Destinations;

namespace PolicyDaemon.Cli.Fetching;

/// <summary>Decides which of the keys that were seen become pins: by the options, or by asking.</summary>
internal sealed class FetchAcceptance(
    CommandContext context, FetchDecision decision, string key, ProbedDestination visit, ImmutableArray<Pin> known)
{
    private const int MostAsked = 5;

    private readonly DigestAlgorithm digest = context.Settings.Postfix.FingerprintDigest;

    /// <exception cref="CommandException">Nothing was seen, or what was seen is not accepted.</exception>
    internal async Task<IReadOnlyList<AcceptedPin>> DecideAsync(CancellationToken cancellation)
    {
        var keys = FetchedKeys.Of(visit, digest);
        FetchReport.Show(context.Report, key, visit, keys, digest);
        if (keys.Count == 0)
            throw NothingSeen();
        RefuseRejected(keys);
        var carried = keys.SelectMany(Carried).ToList();
        var isNamed = carried.Select(pin => pin.Fingerprint).ToHashSet();
        // What an approved pin names, in this digest or another, needs no second approval.
        var open = keys.Where(seen => !seen.Certificates.Any(certificate => IsServed(certificate) || IsCarried(certificate, isNamed))).ToList();
        if (decision.Expected.Count > 0)
            return Expected(keys);
        if (open.Count == 0)
            return carried;
        var accepted = decision switch
        {
            { TrustsFirstSight: true } => open.Select(seen => Accept(seen, PinStrength.Tofu)),
            { Yes: true } => Evident(open),
            { DryRun: true } => open.Select(seen => Accept(seen, PinStrength.Person)),
            _ => await AskAsync(open, cancellation),
        };
        return [.. carried, .. accepted];
    }

    /// <summary>Evidence A keeps its name; what else was accepted is called by how.</summary>
    private static AcceptedPin Accept(FetchedKey seen, PinStrength otherwise) => new(
        seen.Pin, PinSubject.PublicKey,
        seen.Evidence == PinStrength.Dane || (seen.Evidence == PinStrength.WebPki && otherwise == PinStrength.Person) ? seen.Evidence.Value : otherwise);

    private IReadOnlyList<AcceptedPin> Expected(IReadOnlyList<FetchedKey> keys)
    {
        var other = keys.SelectMany(seen => seen.Certificates.Where(certificate => !decision.Expected.Any(certificate.Matches)).Select(certificate => (seen, certificate))).ToList();
        var unseen = decision.Expected.Where(pin => !keys.Any(seen => seen.Certificates.Any(certificate => certificate.Matches(pin)))).ToList();
        if (other.Count > 0 || unseen.Count > 0)
        {
            throw new CommandException(
                ExitCode.Negative, $"{key} does not show exactly what is expected; nothing was changed",
                [
                    .. decision.Expected.Select(pin => $"expected {pin}{(unseen.Contains(pin) ? ", which was not seen" : "")}"),
                    .. other.Select(one => $"seen     {one.seen.Pin} (public key), {one.certificate.Digest(PinSubject.Certificate, digest)} (certificate) at {FetchReport.Where(one.seen)}"),
                ]);
        }

        return
        [
            .. decision.Expected.Select(pin =>
            {
                keys.SelectMany(seen => seen.Certificates).First(certificate => certificate.Matches(pin)).Matches(pin, out var subject);
                return new AcceptedPin(pin, subject, PinStrength.Person);
            }),
        ];
    }

    private static IReadOnlyList<AcceptedPin> Evident(List<FetchedKey> keys)
    {
        var without = keys.Where(seen => seen.Evidence != PinStrength.Dane).ToList();
        return without.Count == 0
            ? [.. keys.Select(seen => Accept(seen, PinStrength.Dane))]
            : throw new CommandException(
                ExitCode.Negative, "--yes accepts keys with DANE evidence only; nothing was changed",
                [
                    .. without.Select(seen => $"{seen.Pin} at {FetchReport.Where(seen)}: {seen.Why}"),
                    "compare it with the partner over another channel, then: --expect FINGERPRINT",
                ]);
    }

    private async Task<IEnumerable<AcceptedPin>> AskAsync(List<FetchedKey> keys, CancellationToken cancellation)
    {
        var unproven = keys.Count(seen => seen.Evidence is null);
        var offersFirstSight = unproven > 0 && decision.HasReason;
        var prompt = $"Pin {Phrases.Count(keys.Count, "key")}? [{(offersFirstSight ? "yes/first-sight/no" : "yes/no")}] ";
        var question = unproven == 0 ? prompt : Compare(unproven, offersFirstSight) + prompt;
        await using var input = context.Host.In();
        for (var asked = 0; asked < MostAsked; asked++)
        {
            switch (await Question.AskAsync(context.Host, input, asked == 0 ? question : prompt, cancellation))
            {
                case "yes" or "y":
                    return keys.Select(seen => Accept(seen, PinStrength.Person));
                case "first-sight" when offersFirstSight:
                    return keys.Select(seen => Accept(seen, PinStrength.Tofu));
                case "no" or "n" or null:
                    throw NotAccepted();
            }
        }

        throw NotAccepted();
    }

    private static string Compare(int unproven, bool offersFirstSight)
    {
        var keys = unproven == 1 ? "this key is" : $"{unproven} of these keys are";
        return $"Nothing says whose {keys}. Compare with the partner over another channel, by telephone or on paper.\n"
            + (offersFirstSight
                ? "  yes          I have compared: pin\n"
                    + "  first-sight  I trust what I see: pin, shown as tofu for ever\n"
                    + "  no           change nothing\n"
                : "  yes  I have compared: pin\n"
                    + "  no   change nothing (to pin without comparing: --trust-first-sight --reason \"why\")\n");
    }

    /// <summary>Served pins in another digest that name what was seen, carried over. SHA-1 resists a second preimage; MD5 is a person's to decide.</summary>
    private IEnumerable<AcceptedPin> Carried(FetchedKey seen)
    {
        foreach (var pin in known.Where(pin => pin.IsServed && pin.Fingerprint.Algorithm != digest && pin.Fingerprint.Algorithm != DigestAlgorithm.Md5))
        {
            foreach (var certificate in seen.Certificates)
            {
                if (certificate.Matches(pin.Fingerprint, out var subject))
                    yield return new AcceptedPin(certificate.Digest(subject, digest), subject, pin.Strength, pin.Fingerprint);
            }
        }
    }

    private bool IsServed(ServerCertificate certificate) =>
        known.Any(pin => pin.IsServed && pin.Fingerprint.Algorithm == digest && certificate.Matches(pin.Fingerprint));

    private static bool IsCarried(ServerCertificate certificate, HashSet<Fingerprint> pins) => pins.Any(certificate.Matches);

    private void RefuseRejected(IReadOnlyList<FetchedKey> keys)
    {
        var rejected = known.FirstOrDefault(pin => pin.State == PinState.Rejected
            && keys.Any(seen => seen.Certificates.Any(certificate => certificate.Matches(pin.Fingerprint))));
        if (rejected is not null)
        {
            throw new CommandException(
                ExitCode.Negative,
                $"{rejected.Fingerprint} is presented, which was rejected on {rejected.Since:yyyy-MM-dd}; a probe does not bring it back, nothing was changed");
        }
    }

    private static CommandException NotAccepted() => new(ExitCode.Negative, "not accepted; nothing was changed");

    private CommandException NothingSeen()
    {
        if (!visit.Resolution.Worked)
        {
            return new CommandException(
                visit.Resolution.Outcome == ProbeOutcome.DnsFailure ? ExitCode.Inconclusive : ExitCode.Negative,
                $"{key}: {visit.Resolution.Detail ?? visit.Resolution.Outcome.Name()}; nothing was changed");
        }

        var isConclusive = visit.Addresses.Any(address => address.Seen.Outcome.IsConclusive());
        return new CommandException(
            isConclusive ? ExitCode.Negative : ExitCode.Inconclusive,
            $"{key}: no server showed a certificate; nothing was changed. See: policyctl check {Shell.Quote(key)}");
    }
}
