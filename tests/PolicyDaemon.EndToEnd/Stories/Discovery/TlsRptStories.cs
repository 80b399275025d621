using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories.Discovery;

/// <summary>The attributes with which Postfix 3.10 reports by TLSRPT (RFC 8460) what became of mail under a policy of MTA-STS.</summary>
[Collection(typeof(NewerPostfix))]
public sealed class TlsRptStories(NewerPostfixLaboratory lab) : DiscoveringStories(lab)
{
    [Fact]
    public async Task An_answer_with_the_text_of_the_policy_is_kept_to_whether_the_domain_wants_reports_or_not()
    {
        string[] domains = ["wants.reports.plain.test", "no.reports.plain.test", "wild.reports.plain.test"];
        var prober = await StartAsync();
        foreach (var domain in domains)
        {
            Lab.Dns.Set(domain, "MX", $"10 mx1.{domain}.").Set("mx1." + domain, "A", $"{Servers[0].IPv4}");
            // Braces have no place in an answer, and do not end one.
            Announce(domain, new ServedPolicy(ServedPolicy.Of("enforce", domain == domains[2] ? "*." + domain : "mx1." + domain).Text.Replace("\n", "\r\n", StringComparison.Ordinal) + "note: { }\r\n"));
        }

        Lab.Dns.Set("_smtp._tls." + domains[0], "TXT", "\"v=TLSRPTv1; rua=mailto:reports@plain.test\"");
        var dane = await DaneAsync("dane.reports.signed.test", out var certificate);
        await Servers[0].PresentAsync(Lab.Certificates.IssuedForMany([.. domains.Select(domain => "mx1." + domain), .. dane.MxHosts], certificate.Key));
        foreach (var domain in domains)
        {
            var (match, pattern) = domain == domains[2] ? ("." + domain, "*." + domain) : ("mx1." + domain, "mx1." + domain);
            await prober.Policyd.ServesAsync(domain, $"OK secure match={match} servername=hostname");
            Assert.Equal(
                $"OK secure match={match} servername=hostname policy_type=sts policy_domain={domain} {{ policy_string = version: STSv1 }} "
                + $"{{ policy_string = mode: enforce }} {{ policy_string = max_age: 604800 }} {{ policy_string = mx: {pattern} }} mx_host_pattern={pattern}",
                await prober.Policyd.AskAsync("tlspolicy-tlsrpt", domain));
        }

        Assert.Equal("OK dane-only", await prober.Policyd.AskAsync("tlspolicy-tlsrpt", dane.Domain));
        await Sender.UsePolicyMapsAsync(prober.Policyd.InetTable.Replace(":tlspolicy", ":tlspolicy-tlsrpt", StringComparison.Ordinal));
        string[] recipients = [.. domains.Select(domain => "user@" + domain), dane.User];
        foreach (var attempt in (await Sender.DeliverAllAsync(recipients)).Values) attempt.AssertSent("Verified");
        await Servers[0].PresentAsync(Lab.Certificates.SelfSigned("somebody.test"));
        foreach (var attempt in (await Sender.DeliverAllAsync(recipients)).Values) attempt.AssertDeferred("4.7.5", "Server certificate not");
        await Servers[0].WithoutStartTlsAsync();
        foreach (var attempt in (await Sender.DeliverAllAsync(recipients)).Values) attempt.AssertDeferred("4.7.4", "TLS is required, but was not offered");
        Assert.DoesNotContain(Sender.Log.Lines, line => line.Contains("killed by signal", StringComparison.Ordinal) || line.Contains(" panic: ", StringComparison.Ordinal));
    }
}
