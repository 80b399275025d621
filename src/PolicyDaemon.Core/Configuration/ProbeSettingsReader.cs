using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Core.Configuration;

/// <summary>Reads the <c>[probe]</c> section.</summary>
internal sealed class ProbeSettingsReader(SettingValues values)
{
    private const int DnsPort = 53;
    private const int MaxSocketPath = 107; // unix(7): sun_path, with its NUL 108

    public ProbeSettings Read()
    {
        var caFile = values.Value(ProbeKeys.CaFile);
        if (caFile.Text.Length > 0)
            values.Absolute(caFile);
        var bogus = values.Value(ProbeKeys.DnssecTestBogus);
        return new ProbeSettings
        {
            Enabled = values.YesNo(ProbeKeys.Enabled),
            Resolvers = [.. values.List(ProbeKeys.Resolver).Select(Resolver).OfType<IPEndPoint>()],
            ResolverTrusted = values.YesNo(ProbeKeys.ResolverTrusted),
            DnssecTestSecure = Name(values.Value(ProbeKeys.DnssecTestSecure)),
            DnssecTestBogus = bogus.Text == "none" ? null : Name(bogus),
            SkipsBogusTest = bogus.Text == "none",
            CaFile = caFile,
            PrivateAddresses = values.YesNo(ProbeKeys.PrivateAddresses),
            HeloName = HeloName(values.Value(ProbeKeys.HeloName)),
            BindAddress = Address(values.Value(ProbeKeys.BindAddress), AddressFamily.InterNetwork),
            BindAddress6 = Address(values.Value(ProbeKeys.BindAddress6), AddressFamily.InterNetworkV6),
            // From a second: tests, and an administrator who waits for a partner's new key, mean it.
            Interval = values.Duration(ProbeKeys.Interval, "1s", "30d"),
            RenewalInterval = values.Duration(ProbeKeys.RenewalInterval, "1s", "30d"),
            CandidateInterval = values.Duration(ProbeKeys.CandidateInterval, "1s", "30d"),
            BackOff = values.Duration(ProbeKeys.BackOff, "1s", "1d"),
            LookupStaleness = values.Duration(ProbeKeys.LookupStaleness, "1s", "1d"),
            AddressSpacing = values.Duration(ProbeKeys.AddressSpacing, "0s", "1h"),
            ProviderSpacing = values.Duration(ProbeKeys.ProviderSpacing, "0s", "1h"),
            MaxConnections = values.Number(ProbeKeys.MaxConnections, 1, 1024),
            MaxDestinations = values.Number(ProbeKeys.MaxDestinations, 1, 4096),
            ProbesPerSecond = values.Number(ProbeKeys.ProbesPerSecond, 1, 10_000),
            DnsTimeout = values.Duration(ProbeKeys.DnsTimeout, "1s", "1m"),
            ConnectTimeout = values.Duration(ProbeKeys.ConnectTimeout, "1s", "5m"),
            ReplyTimeout = values.Duration(ProbeKeys.ReplyTimeout, "1s", "5m"),
            HandshakeTimeout = values.Duration(ProbeKeys.HandshakeTimeout, "1s", "5m"),
            Rotation = Rotation(),
            Alerts = new AlertSettings
            {
                Command = Command(values.Value(ProbeKeys.AlertCommand)),
                Socket = SocketPath(values.Value(ProbeKeys.AlertSocket)),
                Timeout = values.Duration(ProbeKeys.AlertTimeout, "1s", "10m"),
                Webhook = Webhook(values.Value(ProbeKeys.AlertWebhook)),
                Escalation = Escalation(),
            },
        };
    }

    private RotationOptions Rotation() => new()
    {
        HoldDown = values.Duration(ProbeKeys.HoldDown, "1s", "30d"),
        // One probe is a snapshot: whoever stands between us and the server for a moment could show what he likes.
        HoldDownProbes = values.Number(ProbeKeys.HoldDownProbes, 2, 100),
        RetireAfter = values.Duration(ProbeKeys.RetireAfter, "1s", "90d"),
        RetireAfterProbes = values.Number(ProbeKeys.RetireAfterProbes, 2, 100),
        RetireGrace = values.Duration(ProbeKeys.RetireGrace, "1s", "365d"),
        StandbyExpiry = values.Duration(ProbeKeys.StandbyExpiry, "1s", "365d"),
        EvidenceWait = values.Duration(ProbeKeys.EvidenceWait, "1s", "1d"),
        BrakeWindow = values.Duration(ProbeKeys.BrakeWindow, "1s", "30d"),
        BrakePercent = values.Number(ProbeKeys.BrakePercent, 1, 100),
        BrakeAtLeast = values.Number(ProbeKeys.BrakeAtLeast, 2, 1000),
    };

    private IPEndPoint? Resolver(ConfiguredValue value)
    {
        if (TryAddress(value.Text, out var address))
            return new IPEndPoint(address, DnsPort);
        var colon = value.Text.LastIndexOf(':');
        if (colon > 0 && TryAddress(value.Text[0] == '[' && value.Text[colon - 1] == ']' ? value.Text[1..(colon - 1)] : value.Text[..colon], out address)
            && (address.AddressFamily == AddressFamily.InterNetwork) == (value.Text[0] != '[')
            && int.TryParse(value.Text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535)
            return new IPEndPoint(address, port);
        values.Problems.Add(value.Problem($"'{value.Text}' is no resolver; write ADDRESS, ADDRESS:PORT or [IPV6]:PORT, such as 127.0.0.1:53"));
        return null;
    }

    // The framework takes "1" for 0.0.0.1 and "[::1]:53" for ::1.
    private static bool TryAddress(string text, [NotNullWhen(true)] out IPAddress? address) =>
        IPAddress.TryParse(text, out address)
        && (address.AddressFamily == AddressFamily.InterNetworkV6 ? text[0] != '[' : address.ToString() == text);

    private string? Name(ConfiguredValue value)
    {
        if (value.Text.Length == 0)
            return null;
        if (NextHop.TryParse(value.Text, out var name, out _) && name is { IsBracketed: false, IsSubdomains: false, IsPath: false, Port: null }
            && !IPAddress.TryParse(name.Host, out _))
            return name.Host;
        values.Problems.Add(value.Problem($"'{value.Text}' is no domain name"));
        return null;
    }

    // RFC 5321 section 4.1.1.1: a domain name, or an address literal in brackets.
    private string? HeloName(ConfiguredValue value)
    {
        if (value.Text.StartsWith('[') && value.Text.EndsWith(']'))
        {
            var literal = value.Text[1..^1];
            if (IPAddress.TryParse(literal.StartsWith("IPv6:", StringComparison.OrdinalIgnoreCase) ? literal[5..] : literal, out _))
                return value.Text;
        }

        return Name(value);
    }

    private IPAddress? Address(ConfiguredValue value, AddressFamily family)
    {
        if (value.Text.Length == 0)
            return null;
        if (TryAddress(value.Text, out var address) && address.AddressFamily == family)
            return address;
        values.Problems.Add(value.Problem(
            $"'{value.Text}' is no {(family == AddressFamily.InterNetwork ? "IPv4" : "IPv6")} address"));
        return null;
    }

    private ImmutableArray<string> Command(ConfiguredValue value)
    {
        if (value.Text.Length == 0)
            return [];
        // Blanks separate and nothing quotes: what needs more is a script.
        var arguments = value.Text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (!Path.IsPathRooted(arguments[0]))
            values.Problems.Add(value.Problem($"'{arguments[0]}' is not an absolute path; no shell reads this, so a pipe or a variable needs a script"));
        return [.. arguments];
    }

    private string SocketPath(ConfiguredValue value)
    {
        if (value.Text.Length > 0)
            values.Absolute(value);
        if (value.Text.Length > MaxSocketPath)
            values.Problems.Add(value.Problem($"longer than {MaxSocketPath} octets, the limit of a unix socket"));
        return value.Text;
    }

    private Uri? Webhook(ConfiguredValue value)
    {
        if (value.Text.Length == 0)
            return null;
        if (Uri.TryCreate(value.Text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.Host.Length > 0)
            return uri;
        values.Problems.Add(value.Problem($"'{value.Text}' is no URL; write https://HOST/PATH"));
        return null;
    }

    private ImmutableArray<TimeSpan> Escalation()
    {
        var times = values.List(ProbeKeys.AlertEscalation).Select(item => (Item: item, Time: values.Duration(item, "1s", "30d"))).ToList();
        for (var i = 1; i < times.Count; i++)
        {
            if (times[i].Time <= times[i - 1].Time)
                values.Problems.Add(times[i].Item.Problem($"'{times[i].Item.Text}' does not come after '{times[i - 1].Item.Text}'; write them in ascending order"));
        }

        return [.. times.Select(time => time.Time)];
    }
}
