using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>A place where a key was presented, with what speaks for it there.</summary>
/// <param name="MxHost">The MX host's name.</param>
/// <param name="Certificate">The certificate that was presented with the key.</param>
/// <param name="Dane">The verdict of the host's TLSA records over the certificate.</param>
/// <param name="Chain">The verdict of the WebPKI over the chain.</param>
public readonly record struct PresentedAt(string MxHost, ServerCertificate Certificate, DaneVerdict Dane, ChainVerdict Chain);

/// <summary>What speaks for a key being that of the destination's servers.</summary>
/// <remarks>
/// <code>
/// A  DANE     MX, address and TLSA records DNSSEC-secure from a trusted resolver, and a usable record matches (RFC 7672)
/// B  WebPKI   a trusted chain for the MX host's name, which is authenticated
/// </code>
/// <para>Both need an MX host whose name is authenticated: by secure MX records, or because an administrator named the host.</para>
/// <para>How many of the places that present a key have to prove it depends on the question. The rules ask about one candidate of a
/// destination that is probed regularly: a record that matches at <em>any</em> place names that key as the destination's own, and what other
/// places present is judged for itself. <c>policyctl --probe</c> asks about a key of which nothing is known yet: there
/// <em>every</em> place that presents it must prove it, since one that does not is as likely somebody else's.</para>
/// </remarks>
public static class Evidence
{
    // What is stored has whole seconds, so two probes seem to be up to one further apart than they are.
    private static readonly TimeSpan WholeSeconds = TimeSpan.FromSeconds(1);

    /// <summary>True where the MX hosts' names are not taken on trust.</summary>
    public static bool NamesAreAuthenticated(DnssecStatus mxRecords, bool hostIsGiven) => mxRecords == DnssecStatus.Secure || hostIsGiven;

    /// <summary>The strongest evidence that every one of these places gives for a key; null where there is none.</summary>
    public static PinStrength? OfEvery(IReadOnlyCollection<PresentedAt> places, DnssecStatus mxRecords, bool hostIsGiven)
    {
        ArgumentNullException.ThrowIfNull(places);
        if (places.Count == 0 || !NamesAreAuthenticated(mxRecords, hostIsGiven))
            return null;
        if (places.All(place => place.Dane == DaneVerdict.Match))
            return PinStrength.Dane;
        return places.All(IsTrusted) ? PinStrength.WebPki : null;
    }

    /// <summary>True where the WebPKI accepts the certificate for the MX host's name.</summary>
    public static bool IsTrusted(PresentedAt place) => IsTrusted(place.MxHost, place.Certificate, place.Chain);

    /// <inheritdoc cref="IsTrusted(PresentedAt)"/>
    public static bool IsTrusted(string mxHost, ServerCertificate certificate, ChainVerdict chain)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return chain == ChainVerdict.Trusted && certificate.Covers(mxHost);
    }

    /// <summary>Evidence A for a candidate at any place; null where there is none.</summary>
    internal static string? Dane(Pin candidate, RotationView view)
    {
        if (!NamesAreAuthenticated(view.Input.Mx.Dnssec, view.Input.Mx.HostIsGiven))
            return null;
        foreach (var algorithm in view.Current.Where(algorithm => algorithm.Dane == DaneVerdict.Match))
        {
            if (algorithm.Certificate.Matches(candidate.Fingerprint))
                return $"{algorithm.Address.MxHost} [{algorithm.Address.History.Target.Address}] presents it, and a DNSSEC-secure TLSA record matches";
            if (view.Pins.Accepts(algorithm.Certificate) && Announces(algorithm.Address, candidate, view))
                return $"a DNSSEC-secure TLSA record of {algorithm.Address.MxHost} announces it beside the one in use";
        }

        return null;
    }

    /// <summary>True where the brake has had time to see what else changed: until the end of the pass, or 15 minutes.</summary>
    internal static bool HasWaited(Pin candidate, RotationView view) => view.Input.Brake.HasWaited(candidate.Since, view.Now);

    /// <summary>Evidence B for a candidate; null where there is none, or not yet.</summary>
    /// <remarks>In consistent probes spread over the hold-down: every probe of the run found the chain trusted, no two are further apart than
    /// a quarter of it, the clock was not set meanwhile, and every address of the host that can be reached presents the same key. One
    /// address of two with another certificate, now or at any time of the hold-down, is what an attacker near that address looks like.</remarks>
    internal static string? WebPki(Pin candidate, RotationView view)
    {
        foreach (var algorithm in view.Current)
        {
            var sameHost = view.Algorithms.Where(other =>
                other.Address.Listed && other.Address.MxHost == algorithm.Address.MxHost && other.KeyAlgorithm == algorithm.KeyAlgorithm);
            if (algorithm.Certificate.Matches(candidate.Fingerprint)
                && sameHost.All(other => other.IsCurrent ? HasHeldDown(other, candidate, view) : !HasShownAnother(other, candidate, view)))
            {
                return $"{algorithm.Address.MxHost} presented it in {algorithm.Latest.TrustedProbes} probes over "
                    + $"{Over(algorithm.Latest)}, with a trusted chain for its authenticated name";
            }
        }

        return null;
    }

    private static bool HasHeldDown(AddressAlgorithm algorithm, Pin candidate, RotationView view)
    {
        var run = algorithm.Latest;
        var mx = view.Input.Mx;
        return algorithm.Certificate.Matches(candidate.Fingerprint)
            && algorithm.Certificate.Covers(algorithm.Address.MxHost)
            && run.TrustedProbes >= view.Options.HoldDownProbes
            && run.Last - SeenSince(run, view) >= view.Options.HoldDown
            && NamesAreAuthenticated(mx.Dnssec, mx.HostIsGiven)
            && (mx.HostIsGiven || mx.SecureSince <= run.Last - view.Options.HoldDown);
    }

    /// <summary>Since when the probes that trusted the chain follow each other closely enough, by one clock.</summary>
    private static DateTimeOffset? SeenSince(CertificateRun run, RotationView view)
    {
        var longest = (view.Options.HoldDown / RotationOptions.HoldDownParts) + WholeSeconds;
        DateTimeOffset? since = null;
        foreach (var at in run.TrustedAt.Reverse())
        {
            if (at < view.Input.ClockSetAt || since - at > longest)
                break;
            since = at;
        }

        return since;
    }

    private static bool HasShownAnother(AddressAlgorithm algorithm, Pin candidate, RotationView view) => algorithm.Runs.Any(run =>
        run.Certificate?.Matches(candidate.Fingerprint) == false && run.Last >= view.Now - view.Options.HoldDown);

    private static string Over(CertificateRun run)
    {
        var over = run.Last - run.TrustedSince ?? TimeSpan.Zero;
        return (over.TotalHours < 2 ? over : TimeSpan.FromHours((long)over.TotalHours)).ToLongText();
    }

    /// <summary>True where a secure TLSA record of the address's host names the key.</summary>
    internal static bool Announces(AddressState address, Pin candidate, RotationView view) =>
        address.SecureTlsa.Any(record =>
            record.TryFingerprint(view.Input.Digest, out var announced, out _) && announced == candidate.Fingerprint);
}
