using System.Globalization;
using System.Net;
using System.Text.Json;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Store.Documents;

/// <summary>Converts the last DNS resolution of a destination to JSON and back. A value that this version does not know is a <see cref="FormatException"/>.</summary>
internal static class Resolutions
{
    internal static string ToJson(MxResolution resolution) => JsonSerializer.Serialize(
        new ResolutionDocument(
            resolution.NextHop.Text, resolution.Port, resolution.MxDnssec.Name(), resolution.HostIsGiven, resolution.IsImplicit,
            [.. resolution.Hosts.Select(ToDocument)]),
        StoreJson.Default.ResolutionDocument);

    internal static MxResolution FromJson(string json, DateTimeOffset at)
    {
        var document = JsonSerializer.Deserialize(json, StoreJson.Default.ResolutionDocument)
            ?? throw new FormatException("an empty resolution");
        return new MxResolution
        {
            NextHop = NextHop.Parse(document.NextHop),
            At = at,
            Port = document.Port,
            Outcome = DnsOutcome.Found,
            MxDnssec = Status(document.MxDnssec),
            HostIsGiven = document.HostIsGiven,
            IsImplicit = document.IsImplicit,
            Hosts = [.. document.Hosts.Select(FromDocument)],
        };
    }

    private static MxHostDocument ToDocument(MxHost host) => new(
        host.Name, host.Preference, [.. host.Addresses.Select(address => address.ToString())], host.AddressDnssec.Name(),
        host.AddressOutcome.Name(), host.TlsaBase, host.Tlsa.IsDefaultOrEmpty ? null : [.. host.Tlsa.Select(record => record.ToString())],
        host.TlsaDnssec.Name(), host.TlsaFailed, host.CanonicalName);

    private static MxHost FromDocument(MxHostDocument host) => new()
    {
        Name = host.Name,
        Preference = host.Preference,
        Addresses = [.. host.Addresses.Select(IPAddress.Parse)],
        AddressDnssec = Status(host.AddressDnssec),
        AddressOutcome = DnsOutcomes.TryParse(host.AddressOutcome, out var outcome)
            ? outcome
            : throw new FormatException($"outcome '{host.AddressOutcome}'"),
        TlsaBase = host.TlsaBase,
        Tlsa = [.. (host.Tlsa ?? []).Select(Record)],
        TlsaDnssec = Status(host.TlsaDnssec),
        TlsaFailed = host.TlsaFailed,
        CanonicalName = host.CanonicalName,
    };

    private static TlsaRecord Record(string text)
    {
        var fields = text.Split(' ');
        return fields.Length == 4
            ? new TlsaRecord(Octet(fields[0]), Octet(fields[1]), Octet(fields[2]), [.. Convert.FromHexString(fields[3])])
            : throw new FormatException($"TLSA record '{text}'");
    }

    private static byte Octet(string text) => byte.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    private static DnssecStatus Status(string name) =>
        DnssecStatuses.TryParse(name, out var status) ? status : throw new FormatException($"DNSSEC status '{name}'");
}

/// <summary>The DNS resolution of a destination. Its time is a column of its own, so that an unchanged resolution is an unchanged text.</summary>
internal sealed record ResolutionDocument(
    string NextHop, int Port, string MxDnssec, bool HostIsGiven, bool IsImplicit, MxHostDocument[] Hosts);

/// <summary>An MX host with its addresses and TLSA records.</summary>
internal sealed record MxHostDocument(
    string Name, int Preference, string[] Addresses, string AddressDnssec, string AddressOutcome, string? TlsaBase, string[]? Tlsa,
    string TlsaDnssec, bool TlsaFailed, string? CanonicalName = null);
