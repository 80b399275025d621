using System.Security.Cryptography;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories.Discovery;

/// <summary>The four servers that stand behind the hosts of all situations; see <see cref="Situation"/>.</summary>
internal sealed class SituationServers(Laboratory lab, PolicyHost policies)
{
    /// <summary>A name server that does not answer: what it serves cannot be looked up by anybody.</summary>
    public const string SilentNameServer = "silent." + LabDns.PlainZone + ".";

    private readonly AsymmetricAlgorithm _right = LabCertificates.NewKey(KeyKind.Ecdsa);

    public LabDns Dns => lab.Dns;

    public PolicyHost Policies => policies;

    /// <summary>The digest of the right server's public key.</summary>
    public string Key => Convert.ToHexStringLower(SHA256.HashData(_right.ExportSubjectPublicKeyInfo()));

    public ReceivingServer? this[char letter] => letter switch
    {
        'g' => lab.Receivers.Servers[0],
        'b' => lab.Receivers.Servers[1],
        'p' => lab.Receivers.Servers[2],
        'c' => lab.Receivers.Servers[3],
        _ => null,
    };

    /// <summary>Publishes all situations and sets the servers up.</summary>
    public async Task PublishAsync(IReadOnlyList<Situation> situations, string label)
    {
        string[] names = [.. situations.SelectMany((situation, index) => situation.Set(this, $"{label}{index:D2}")).Distinct()];
        lab.Dns.Set(SilentNameServer.TrimEnd('.'), "A", "127.0.0.7");
        await lab.Dns.PublishAsync();
        await this['g']!.PresentAsync(lab.Certificates.IssuedForMany(names, _right));
        await this['b']!.PresentAsync(lab.Certificates.SelfSigned("somebody.test"));
        await this['p']!.WithoutStartTlsAsync();
        await this['c']!.PresentAsync(lab.Certificates.IssuedForMany(names));
    }
}
