using System.Collections.Immutable;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Core.Discovery;

/// <summary>The types of record that are asked for, with their numbers in DNS.</summary>
public enum DnsType
{
    A = 1,
    CName = 5,
    Mx = 15,
    Txt = 16,
    Aaaa = 28,
    Tlsa = 52,
}

/// <summary>What an answer amounts to.</summary>
public enum DnsAnswerKind
{
    /// <summary>Records of the type asked for.</summary>
    Records,

    /// <summary>The name exists and has none of the type.</summary>
    NoData,

    NoSuchName,

    /// <summary>SERVFAIL that succeeds with checking disabled: the data are there and do not validate.</summary>
    Bogus,

    /// <summary>Timeout, SERVFAIL, REFUSED, nonsense: nothing is known.</summary>
    Failed,
}

/// <param name="Name">Lower case, without the final dot.</param>
public readonly record struct DnsQuestion(string Name, DnsType Type)
{
    public override string ToString() => $"{Type.Text()} of {Name}";
}

/// <summary>An answer of a resolver, its aliases followed: what a verdict rests on, in a form that can be written down and read again.</summary>
public sealed record DnsAnswer
{
    /// <summary>The name asked for, lower case, without the final dot.</summary>
    public required string Name { get; init; }

    public required DnsType Type { get; init; }

    public required DnsAnswerKind Kind { get; init; }

    /// <summary>The name at the end of the aliases; <see cref="Name"/> where there is none.</summary>
    public required string CanonicalName { get; init; }

    /// <summary>The records of the type, owned by <see cref="CanonicalName"/>, as a zone file has them: <c>192.0.2.1</c>,
    /// <c>10 mx.example.com</c>, <c>3 1 1 0123…</c>; host names without the final dot, the root as a dot, the strings of a TXT record joined.</summary>
    public required ImmutableArray<string> Data { get; init; }

    /// <summary>The resolver's AD bit as it came.</summary>
    public required bool AuthenticData { get; init; }

    /// <summary>What the AD bit is worth: <see cref="DnssecStatus.Unknown"/> unless the resolver is trusted and has passed its self-test.</summary>
    public required DnssecStatus Security { get; init; }

    /// <summary>For how long the answer holds: the least TTL on its way, or that of an absence (RFC 2308 section 5); zero: not beyond now.</summary>
    public required TimeSpan Ttl { get; init; }

    /// <summary>The resolver that answered; null where none did.</summary>
    public required string? Resolver { get; init; }

    /// <summary>When the resolver answered, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>What went wrong, for people.</summary>
    public required string? Detail { get; init; }

    /// <summary>How each resolver failed that was asked in vain, in the order in which they were asked; empty where one answered, and of an answer that
    /// was written down, which has it in <see cref="Detail"/>.</summary>
    public ImmutableArray<ResolverFailure> Failures
    {
        // A record that lacks it has none: what reads JSON leaves it unset.
        get => field.IsDefault ? [] : field;
        init;
    } = [];

    /// <summary>False where nothing is known: no answer, or one that does not validate.</summary>
    public bool Worked => Kind is not (DnsAnswerKind.Failed or DnsAnswerKind.Bogus);

    public DnsQuestion Question => new(Name, Type);

    /// <summary>A question that nobody answered.</summary>
    public static DnsAnswer Failed(DnsQuestion question, DateTimeOffset at, string detail) => new()
    {
        Name = question.Name,
        Type = question.Type,
        Kind = DnsAnswerKind.Failed,
        CanonicalName = question.Name,
        Data = [],
        AuthenticData = false,
        Security = DnssecStatus.Unknown,
        Ttl = TimeSpan.Zero,
        Resolver = null,
        At = at,
        Detail = detail,
    };

    public bool Equals(DnsAnswer? other) =>
        other is not null
        && (Name, Type, Kind, CanonicalName, AuthenticData, Security, Ttl) == (other.Name, other.Type, other.Kind, other.CanonicalName, other.AuthenticData, other.Security, other.Ttl)
        && (Resolver, At, Detail) == (other.Resolver, other.At, other.Detail)
        && Data.AsSpan().SequenceEqual(other.Data.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Name, Type, Kind, At);
}

/// <summary>Names of the types of record.</summary>
public static class DnsTypes
{
    /// <summary>As DNS writes it: <c>AAAA</c>.</summary>
    public static string Text(this DnsType type) => type.ToString().ToUpperInvariant();
}

/// <summary>How much of an answer is followed. Zones are written by others.</summary>
public static class DnsLimits
{
    /// <summary>MX hosts of one domain, the best first. Postfix tries at most five addresses (smtp_mx_address_limit).</summary>
    public const int MxHosts = 20;

    /// <summary>Addresses of one MX host, of each family.</summary>
    public const int Addresses = 16;

    public const int TlsaRecords = 32;

    /// <summary>Links of a chain of CNAME records.</summary>
    public const int Aliases = 8;
}
