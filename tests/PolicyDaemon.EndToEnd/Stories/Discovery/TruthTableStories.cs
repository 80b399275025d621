using System.Text.RegularExpressions;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories.Discovery;

/// <summary>The truth table of discovery, row by row, over real zones: what is answered, and what a real Postfix does with mail.</summary>
public abstract class TruthTableStories(Laboratory lab) : DiscoveringStories(lab)
{
    [Fact]
    public async Task Every_row_of_the_table_is_answered_as_it_says_and_mail_goes_out_or_waits()
    {
        var situations = SituationBook.Rows();
        await new SituationServers(Lab, Policies).PublishAsync(situations, "row");
        await Sender.RouteAsync([.. situations.Where(one => one.Key != one.Domain).Select(one => $"{one.Domain} smtp:{one.Key}")]);
        var prober = await StartAsync();
        await AssertAnswersAsync(prober, situations);
        await AssertMailAsync(situations);
        await AssertRowsAsync(prober, situations);
    }

    [Fact]
    public async Task Nothing_is_answered_below_the_level_of_main_cf()
    {
        var situations = SituationBook.RowsAtEncrypt();
        await new SituationServers(Lab, Policies).PublishAsync(situations, "encrypt");
        var prober = await StartAsync(level: "encrypt");
        await Sender.Instance.ConfigureAsync("smtp_tls_security_level = encrypt");
        await Sender.Instance.ReloadAsync();
        try
        {
            await AssertAnswersAsync(prober, situations);
            await AssertMailAsync(situations);
        }
        finally
        {
            await Sender.Instance.ConfigureAsync("smtp_tls_security_level = may");
            await Sender.Instance.ReloadAsync();
        }
    }

    private async Task AssertMailAsync(IReadOnlyList<Situation> situations)
    {
        var wrong = new List<string>();
        var attempts = await Sender.DeliverAllAsync([.. situations.Select(one => one.User)]);
        foreach (var one in situations)
        {
            var attempt = attempts[one.User];
            var expected = Lab.IsNewer ? one.Mail : one.OldMail ?? one.Mail;
            if (Result(attempt) != expected) wrong.Add($"{one}: mail is {Result(attempt)}, expected {expected}; the log says:\n{attempt.Log}");
        }

        Assert.True(wrong.Count == 0, string.Join("\n\n", wrong));
    }

    /// <summary>Asks for all at once, as at the beginning of a day; what is not found out in time is right the next time.</summary>
    private static async Task AssertAnswersAsync(Prober prober, IReadOnlyList<Situation> situations)
    {
        Dictionary<Situation, string> wrong = [];
        await Task.WhenAll(situations.Select(one => prober.AnswerAsync(one.Key)));
        try
        {
            await Until.TrueAsync("every answer is as the table says", async () =>
            {
                wrong.Clear();
                foreach (var one in situations)
                {
                    if (await prober.AnswerAsync(one.Key) is var answer && answer != one.Text) wrong[one] = answer;
                }

                return wrong.Count == 0;
            });
        }
        catch (TimeoutException)
        {
            var why = await Task.WhenAll(wrong.Keys.Select(one => prober.Policyd.CtlAsync("discovery", "show", one.Key)));
            Assert.Fail(string.Join("\n\n", wrong.Zip(why, (pair, shown) => $"{pair.Key}: expected \"{pair.Key.Text}\", answered \"{pair.Value}\"\n{shown}")));
        }
    }

    /// <summary>What policyctl says decided.</summary>
    private static async Task AssertRowsAsync(Prober prober, IReadOnlyList<Situation> situations)
    {
        var expected = situations.Select(one => $"{one.Key}: row {one.Row}").Order(StringComparer.Ordinal).ToList();
        var keys = situations.Select(one => one.Key).ToHashSet();
        List<string> listed = [];
        // Verdicts that protect nothing are written together, a moment later.
        await Until.TrueAsync("every verdict is listed with its row", async () =>
        {
            listed = [.. (await ListAsync(prober)).Where(one => keys.Contains(one.Key)).Select(one => $"{one.Key}: row {one.Value[1]}").Order(StringComparer.Ordinal)];
            return listed.SequenceEqual(expected);
        }, () => $"listed, not expected: {string.Join(", ", listed.Except(expected))}\nexpected, not listed: {string.Join(", ", expected.Except(listed))}");
    }

    /// <summary>In a few words: sent and how, deferred, or bounced.</summary>
    private static string Result(DeliveryAttempt attempt)
    {
        if (attempt.Status != "sent") return attempt.Status;
        var tls = Regex.Match(attempt.Log, $@": (\w+) TLS connection established to {Regex.Escape(attempt.Relay)}: ");
        return "sent " + (tls.Success ? tls.Groups[1].Value : "plain");
    }
}

[Collection(typeof(HostPostfix))]
public sealed class TruthTableWithTheHostsPostfix(HostPostfixLaboratory lab) : TruthTableStories(lab);

[Collection(typeof(NewerPostfix))]
public sealed class TruthTableWithTheNewerPostfix(NewerPostfixLaboratory lab) : TruthTableStories(lab);
