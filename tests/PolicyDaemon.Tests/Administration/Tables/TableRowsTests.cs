using PolicyDaemon.Administration.Tables;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Tables;
using Xunit;

namespace PolicyDaemon.Tests.Administration.Tables;

public class TableRowsTests
{
    private static readonly DateTimeOffset Since = DateTimeOffset.UnixEpoch.AddDays(20000);

    [Fact]
    public void A_row_is_made_again_as_it_was()
    {
        var row = new TableRow(
            7,
            new Destination
            {
                Key = NextHop.Parse(".example.com"),
                Policy = new TlsPolicy { Level = TlsLevel.Secure, Match = ["mx.example.com", ".example.com"], Ciphers = "high" },
                Pins = [Pin('a', PinState.Retired, PinStrength.Dane), Pin('b', PinState.Candidate, null)],
                Mode = PinMode.Locked,
                Observe = true,
                Floor = DiscoveryFloor.Secure,
                ProbeAs = ["mx1.example.com", "mx2.example.com"],
                Note = "a note, with { braces }",
                Until = Since.AddDays(1),
                Former = new FormerPolicy(new TlsPolicy { Level = TlsLevel.Secure }, DiscoveryFloor.None, false),
            },
            "evidence");
        // A new attribute of entries is to have a value above.
        Assert.DoesNotContain(EntryAttributes.All, attribute => !attribute.IsOfPins && attribute.Get(row.Destination).IsEmpty);

        var rows = new TableRows();
        rows.Add(row);
        rows.Add(new TableRow(8, new Destination { Key = NextHop.Parse("a.example"), Policy = new TlsPolicy { Level = TlsLevel.May } }));

        Assert.Equal(row, rows[0]);
        Assert.Equal([".example.com", "a.example"], rows.Ordered().Select(made => made.Destination.Key.Text));
    }

    private static Pin Pin(char digit, PinState state, PinStrength? strength) => Fingerprint.TryParse(new string(digit, 64), out var fingerprint, out var reason)
        ? new Pin(fingerprint, PinSubject.PublicKey, state, strength, Since)
        : throw new FormatException(reason);
}
