using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>Answers near the limits of the two protocols.</summary>
public abstract class CapacityStories(Laboratory lab) : ServedStories(lab)
{
    [Fact]
    public async Task Sixty_pins_fit_into_an_answer_over_tcp_table()
    {
        var destination = await ManyPinsAsync("sixty.plain.test", 60);
        await Sender.UsePolicyMapsAsync(Policyd.TcpTable);
        try
        {
            (await Sender.DeliverAsync(destination.User)).AssertSent("Verified");
        }
        finally
        {
            await Sender.UsePolicyMapsAsync(Laboratory.PolicyMap);
        }
    }

    [Fact]
    public async Task Fifteen_hundred_pins_fit_into_an_answer_over_socketmap()
    {
        var destination = await ManyPinsAsync("fifteenhundred.plain.test", 1500);
        (await Sender.DeliverAsync(destination.User)).AssertSent("Verified");
    }

    /// <summary>A destination whose real pin is the last of so many.</summary>
    private async Task<Destination> ManyPinsAsync(string domain, int count)
    {
        var destination = await Destination.CreateAsync(Lab, domain, Servers[0]);
        var certificate = Lab.Certificates.SelfSigned(destination.MxHosts[0]);
        await Servers[0].PresentAsync(certificate);
        var pins = Enumerable.Range(1, count - 1)
            .Select(n => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(n.ToString(CultureInfo.InvariantCulture)))))
            .Append(certificate.PublicKeyFingerprint);
        var table = Path.Combine(Lab.Sandbox.Folder, domain + ".table");
        await File.WriteAllTextAsync(
            table, $"{domain} fingerprint match={string.Join('|', pins)}\n", TestContext.Current.CancellationToken);
        await Policyd.DoAsync("import", table);
        await Policyd.ServesAsync(domain, "OK fingerprint match=");
        var answer = await Policyd.AskAsync("tlspolicy", domain);
        Assert.Equal(count, answer!.Split('|').Length);
        return destination;
    }
}

[Collection(typeof(HostPostfix))]
public sealed class CapacityWithTheHostsPostfix(HostPostfixLaboratory lab) : CapacityStories(lab);

[Collection(typeof(NewerPostfix))]
public sealed class CapacityWithTheNewerPostfix(NewerPostfixLaboratory lab) : CapacityStories(lab);
