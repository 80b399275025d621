using System.Net;

namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>
/// The <c>[probe]</c> section of a daemon of the laboratory: days have become seconds, the resolver is the laboratory's, and its
/// CA is the only one there is.
/// </summary>
public sealed class ProbeConfiguration
{
    private readonly Dictionary<string, string> _values = new()
    {
        ["enabled"] = "yes",
        ["resolver"] = "127.0.0.1",
        ["resolver_trusted"] = "yes",
        ["dnssec_test_secure"] = LabDns.SecureName,
        ["dnssec_test_bogus"] = LabDns.BogusName,
        ["helo_name"] = "sender.plain.test",
        ["interval"] = "2s",
        ["renewal_interval"] = "2s",
        ["candidate_interval"] = "1s",
        ["back_off"] = "1s",
        ["lookup_staleness"] = "1s",
        ["address_spacing"] = "0s",
        ["provider_spacing"] = "0s",
        ["dns_timeout"] = "2s",
        ["connect_timeout"] = "2s",
        ["reply_timeout"] = "2s",
        ["handshake_timeout"] = "5s",
        ["hold_down"] = "4s",
        ["hold_down_probes"] = "3",
        ["retire_after"] = "3s",
        ["retire_after_probes"] = "2",
        ["retire_grace"] = "3s",
        ["evidence_wait"] = "2s",
    };

    /// <param name="authorityFile">Trust anchors, in PEM.</param>
    public ProbeConfiguration(string authorityFile) => _values["ca_file"] = authorityFile;

    /// <summary>Sets another value.</summary>
    public ProbeConfiguration With(string key, string value)
    {
        _values[key] = value;
        return this;
    }

    /// <summary>Asks this resolver.</summary>
    public ProbeConfiguration Asking(IPAddress resolver) => With("resolver", $"{resolver}");

    /// <summary>The section as the configuration file has it.</summary>
    public override string ToString() => "[probe]\n" + string.Concat(_values.Select(pair => $"{pair.Key} = {pair.Value}\n"));
}
