using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Cli.Json;

/// <summary>An MX host.</summary>
/// <param name="Name">Its name, or an address.</param>
/// <param name="Preference">Of the MX record.</param>
/// <param name="CanonicalName">Where the name is an alias; otherwise null.</param>
/// <param name="AddressOutcome"><c>found</c>, <c>no-address</c>, <c>dns-failure</c> or <c>bogus</c>.</param>
/// <param name="AddressDnssec">Of the address records.</param>
/// <param name="TlsaBase">Where its TLSA records were sought; null where they were not.</param>
/// <param name="TlsaDnssec">Of the TLSA records or their absence.</param>
/// <param name="TlsaFailed">True where that lookup failed.</param>
/// <param name="Tlsa">The records.</param>
internal sealed record MxHostJson(
    string Name, int Preference, string? CanonicalName, string AddressOutcome, string AddressDnssec, string? TlsaBase, string TlsaDnssec,
    bool TlsaFailed, IReadOnlyList<TlsaJson> Tlsa)
{
    internal static MxHostJson From(MxHost host) => new(
        host.Name, host.Preference, host.CanonicalName, host.AddressOutcome.Name(), host.AddressDnssec.Name(), host.TlsaBase,
        host.TlsaDnssec.Name(), host.TlsaFailed, [.. host.Tlsa.Select(record => new TlsaJson(record.ToString(), record.IsUsable, record.WhyUnusable))]);
}

/// <summary>A TLSA record.</summary>
/// <param name="Record">Usage, selector, matching type and data.</param>
/// <param name="Usable">Whether SMTP can use it.</param>
/// <param name="WhyUnusable">Why not; null where it can.</param>
internal sealed record TlsaJson(string Record, bool Usable, string? WhyUnusable);
