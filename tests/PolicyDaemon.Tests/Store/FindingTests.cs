using PolicyDaemon.Core.Findings;
using Xunit;

namespace PolicyDaemon.Tests.Store;

public class FindingTests
{
    [Fact]
    public void One_finding_per_kind_and_subject_is_open_and_counts()
    {
        using var temporary = new TemporaryStore();
        var since = temporary.Time.GetUtcNow();
        using var store = temporary.Open();
        var finding = new Finding(FindingKind.NearMiss, "example.com", "first", "do this", since);

        store.RaiseFinding(finding);
        temporary.Time.Advance(TimeSpan.FromMinutes(1));
        store.RaiseFinding(finding with { Detail = "second", Since = temporary.Time.GetUtcNow() });
        store.RaiseFinding(finding with { Subject = "example.net" });
        store.RaiseFinding(finding with { Kind = FindingKind.EntryNotServable });

        Assert.Equal(
            [
                new FindingAlert(0, finding with { Detail = "second" }, 2, since.AddMinutes(1), null, null, 0),
                new FindingAlert(0, finding with { Subject = "example.net" }, 1, since.AddMinutes(1), null, null, 0),
                new FindingAlert(0, finding with { Kind = FindingKind.EntryNotServable }, 1, since.AddMinutes(1), null, null, 0),
            ],
            store.OpenFindings().Select(alert => alert with { Id = 0 }));
        Assert.Distinct(store.OpenFindings().Select(alert => alert.Id));
    }

    [Fact]
    public void A_closed_finding_opens_anew()
    {
        using var temporary = new TemporaryStore();
        using var store = temporary.Open();
        var finding = new Finding(FindingKind.NearMiss, "example.com", "detail", "remedy", temporary.Time.GetUtcNow());
        store.RaiseFinding(finding);

        Assert.True(store.CloseFinding(FindingKind.NearMiss, "example.com"));
        Assert.False(store.CloseFinding(FindingKind.NearMiss, "example.com"));
        Assert.Empty(store.OpenFindings());

        temporary.Time.Advance(TimeSpan.FromDays(1));
        store.RaiseFinding(finding with { Since = temporary.Time.GetUtcNow() });
        Assert.Equal((1, temporary.Time.GetUtcNow()), (store.OpenFindings()[0].Occurrences, store.OpenFindings()[0].Finding.Since));
    }
}
