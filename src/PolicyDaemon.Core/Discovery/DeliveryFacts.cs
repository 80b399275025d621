using System.Collections.Immutable;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Core.Discovery;

/// <summary>What Postfix will see of an MX host when it asks DNS for DANE at the port in use.</summary>
public enum HostClass
{
    /// <summary>X: no address in any family, no path.</summary>
    NoAddress,

    /// <summary>I: the address is insecure, and no secure alias leads to it.</summary>
    Insecure,

    /// <summary>N: secure, and its TLSA records absent or insecure.</summary>
    NoTlsa,

    /// <summary>U: secure TLSA records, none of them usable for SMTP.</summary>
    UnusableTlsa,

    /// <summary>T: secure TLSA records, at least one of them usable.</summary>
    Tlsa,

    /// <summary>E: the TLSA lookup fails, so Postfix passes over the host (RFC 7672 section 2.1.2).</summary>
    TlsaFailed,
}

/// <param name="Name">As the MX record names it.</param>
/// <param name="Preference">Of the MX record; 0 without one.</param>
/// <param name="Class">What Postfix will see.</param>
/// <param name="IsFailure">What is missing could not be looked up; nobody said that it is not there.</param>
/// <param name="Detail">What went wrong, for people.</param>
public sealed record HostFacts(string Name, int Preference, HostClass Class, bool IsFailure, string? Detail)
{
    public static HostFacts Of(MxHost host)
    {
        ArgumentNullException.ThrowIfNull(host);
        var found = host switch
        {
            { Addresses.IsEmpty: true } => HostClass.NoAddress,
            { TlsaBase: null } => HostClass.Insecure,
            { TlsaFailed: true } => HostClass.TlsaFailed,
            { TlsaDnssec: DnssecStatus.Secure, Tlsa.IsEmpty: false } =>
                host.Tlsa.Any(record => record.IsUsable) ? HostClass.Tlsa : HostClass.UnusableTlsa,
            _ => HostClass.NoTlsa,
        };
        var isFailure = found == HostClass.TlsaFailed
            || (found == HostClass.NoAddress && host.AddressOutcome is DnsOutcome.Failed or DnsOutcome.Bogus);
        return new HostFacts(host.Name, host.Preference, found, isFailure, isFailure ? host.Detail : null);
    }
}

/// <summary>What DNS says of a destination, as far as a verdict rests on it.</summary>
/// <param name="Mx">What its MX records are.</param>
/// <param name="Hosts">By preference, then by name.</param>
/// <param name="IsVouched">The resolver is trusted and its self-test passed: what it says of DNSSEC counts.</param>
/// <param name="At">When it was asked, UTC.</param>
/// <param name="Ttl">The least TTL of what it rests on.</param>
/// <param name="Detail">What went wrong, for people.</param>
public sealed record DeliveryFacts(
    MxState Mx, ImmutableArray<HostFacts> Hosts, bool IsVouched, DateTimeOffset At, TimeSpan Ttl, string? Detail)
{
    /// <summary>True where something could not be looked up.</summary>
    public bool HasFailure => Mx == MxState.Failed || Hosts.Any(host => host.IsFailure);

    /// <summary>True where nothing at all is known of the way that mail would take.</summary>
    internal bool HasNoWay => Mx == MxState.Failed || (HasFailure && Hosts.All(host => host.Class == HostClass.NoAddress));

    public static DeliveryFacts Of(MxReading reading, bool isVouched)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return new DeliveryFacts(
            reading.State,
            [.. reading.Resolution.Hosts.Select(HostFacts.Of)],
            isVouched,
            reading.Resolution.At,
            // Shared answers are older than the question here.
            reading.Used.Where(answer => answer.Worked).Select(answer => answer.At + answer.Ttl - reading.Resolution.At).Append(TimeSpan.MaxValue).Min(),
            reading.Resolution.Worked ? null : reading.Resolution.Detail);
    }

    /// <summary>True where a verdict on these would be the same.</summary>
    public bool SaysTheSame(DeliveryFacts? other) =>
        other is not null && (Mx, IsVouched) == (other.Mx, other.IsVouched) && Hosts.AsSpan().SequenceEqual(other.Hosts.AsSpan());

    public bool Equals(DeliveryFacts? other) => SaysTheSame(other) && (At, Ttl, Detail) == (other!.At, other.Ttl, other.Detail);

    public override int GetHashCode() => HashCode.Combine(Mx, IsVouched, Hosts.Length, At);
}
