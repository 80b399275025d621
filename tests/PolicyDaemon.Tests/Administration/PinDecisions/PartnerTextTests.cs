using System.Net;
using PolicyDaemon.Administration.PinDecisions;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using Xunit;

using static PolicyDaemon.Tests.Store.Probing.LedgerFixture;

namespace PolicyDaemon.Tests.Administration.PinDecisions;

/// <summary>What a partner is asked: the text fits a screen, and the command line is one for whatever name a zone holds.</summary>
public class PartnerTextTests
{
    [Fact]
    public void The_text_names_what_the_partner_compares()
    {
        var text = PartnerText.Of(NextHop.Parse("m\u00fcnchen.example"), Shown(), DigestAlgorithm.Sha256);
        var colons = Certificate(1).Id.ToDisplayString();

        Assert.StartsWith("Your mail server mx.example has shown us a new TLS certificate since 2026-11-23T12:00:00Z. Our mail to m\u00fcnchen.example goes only", string.Join(' ', text), StringComparison.Ordinal);
        Assert.Contains($"  certificate  {colons[..48]}", text);
        Assert.Contains($"               {colons[48..]}", text);
        Assert.All(text, line => Assert.True(line.Length <= 70, line));
        Assert.Equal(colons, string.Concat(PartnerText.Colons(Certificate(1).Id)));
        Assert.Equal(KeyOf(1).Hex, string.Concat(PartnerText.Groups(KeyOf(1))).Replace(" ", "", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(DigestAlgorithm.Md5, 1)]
    [InlineData(DigestAlgorithm.Sha1, 2)]
    [InlineData(DigestAlgorithm.Sha512, 4)]
    public void Every_digest_has_its_lines(DigestAlgorithm digest, int lines)
    {
        var fingerprint = KeyOf(1, digest);
        Assert.Equal((lines, lines), (PartnerText.Colons(fingerprint).Count, PartnerText.Groups(fingerprint).Count));
        Assert.Equal(fingerprint.ToDisplayString(), string.Concat(PartnerText.Colons(fingerprint)));
    }

    [Fact]
    public void The_command_asks_as_Postfix_does()
    {
        Assert.Equal(
            """
            openssl s_client -starttls smtp -noservername \
              -connect mx.example:25 \
              < /dev/null 2> /dev/null |
              openssl x509 -noout -fingerprint -sha256
            """.ReplaceLineEndings("\n"), Command(Place("mx.example")));
        Assert.Contains(" -servername tls.example ", Command(Place("mx.example", "tls.example")), StringComparison.Ordinal);
        Assert.Contains("  -sigalgs ECDSA+SHA256:", Command(Place("mx.example") with { HasSeveral = true }), StringComparison.Ordinal);
        Assert.Contains("  -sigalgs RSA-PSS+SHA256:", Command(Place("mx.example") with { HasSeveral = true }, certificate: 3), StringComparison.Ordinal);
        Assert.Contains("-connect '[2001:db8::1]:25'", Command(Place("2001:db8::1")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_that_a_zone_chose_is_one_word_to_any_shell() =>
        Assert.Contains("-connect '$(reboot).example; rm'\\''s:25' \\", Command(Place("$(reboot).example; rm's")), StringComparison.Ordinal);

    [Fact]
    public void A_key_in_brackets_is_no_domain_of_theirs() =>
        Assert.Contains("Our mail goes only", string.Join(' ', PartnerText.Of(NextHop.Parse("[mx.example]:587"), Shown(), DigestAlgorithm.Sha256)), StringComparison.Ordinal);

    private static string Command(ShownPlace place, int certificate = 1) => string.Join('\n', PartnerText.Command(place, Certificate(certificate), DigestAlgorithm.Sha256));

    private static ShownKey Shown() => new(Certificate(1), [Place("mx.example")]);

    private static ShownPlace Place(string host, string? serverName = null)
    {
        var at = new DateTimeOffset(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
        return new ShownPlace(host, new ProbeTarget(IPAddress.Parse("192.0.2.1"), 25, serverName), at, at, 1, IsCurrent: true);
    }
}
