using System.Net;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Probe.Scheduling;
using PolicyDaemon.Tests.Core.Rotation;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Probe.Scheduling;

/// <summary>
/// The brake over a year of 500 partners whose keys live 47 days, renewed on working days, in working hours mostly; some are customers of
/// providers with several MX hosts that renew together. Probes are daily, hourly in the time of renewal, and of a sample where a new key is seen.
/// </summary>
[Trait(Part.Name, Part.EndToEnd)]
public sealed class BrakeYearTests
{
    private const int Partners = 500;
    private const int Life = 47;

    [Fact]
    public void In_a_year_of_renewals_it_is_on_on_less_than_one_day_of_a_hundred()
    {
        for (var seed = 0; seed < 6; seed++)
        {
            var year = new Year(seed);
            for (var hour = 0; hour < 24 * 365; hour++)
                year.PassHour();

            Assert.InRange(year.Renewals / 365.0, 8, 13);
            Assert.True(year.DaysOn.Count < 3.65, $"seed {seed}: on on {year.DaysOn.Count} days");
        }
    }

    [Fact]
    public void When_a_fifth_of_all_hosts_changes_at_once_it_is_always_on_before_the_first_promotion()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var year = new Year(seed);
            for (var hour = 0; hour < 24 * (1 + (seed % 40)) + (seed % 24); hour++)
                year.PassHour();
            if (year.IsOn)
                continue;

            year.ChangeAtOnce(0.2);
            for (var hour = 0; hour < 30 && !year.IsOn; hour++)
                year.PassHour();

            Assert.True(year.IsOn, $"seed {seed}: never on");
            Assert.Equal(0, year.PromotedOfThose);
        }
    }

    /// <summary>Each hour: renewals, then the probes that are due, with the samples that they call for; at its end the pass ends, and what waited is promoted.</summary>
    private sealed class Year
    {
        private readonly Random random;
        private readonly MemoryLedger ledger = new();
        private readonly BrakeSample sample;
        private readonly List<List<Host>> operators = [];
        private readonly Dictionary<string, Host> hosts = [];
        private readonly List<(Host Host, DateTimeOffset Since)> news = [];
        private readonly Queue<int> days = new();
        private int ofToday;
        private readonly DateTimeOffset start = new(2026, 1, 5, 0, 0, 0, TimeSpan.Zero);
        private DateTimeOffset now;
        private DateTimeOffset? setAt;

        public Year(int seed)
        {
            random = new Random(seed);
            sample = new BrakeSample(ledger, RotationOptions.Default, random);
            now = start;
            for (var partner = 0; partner < Partners - 100; partner++)
                Operator(random.Next(10) == 0 ? 2 : 1);
            // A hundred partners are customers of these; the brake counts the hosts.
            for (var provider = 0; provider < 20; provider++)
                Operator(2 + random.Next(7));
        }

        public int Renewals { get; private set; }

        public int PromotedOfThose { get; private set; }

        public HashSet<int> DaysOn { get; } = [];

        public bool IsOn => Brake().IsOn;

        public void PassHour()
        {
            Renew();
            foreach (var host in hosts.Values.Where(host => host.Due <= now).ToList())
                Probe(host);
            // The end of the pass: what evidence A has for each new key is followed, unless the brake is on.
            if (IsOn)
                DaysOn.Add((int)(now - start).TotalDays);
            else
                Promote();
            now = now.AddHours(1);
            if (now.Hour == 0)
            {
                days.Enqueue(ofToday);
                ofToday = 0;
                if (days.Count > BrakeCounts.Days)
                    days.Dequeue();
                news.RemoveAll(one => one.Since < now.AddDays(-2));
            }
        }

        public void ChangeAtOnce(double part)
        {
            foreach (var host in hosts.Values.Where(_ => random.NextDouble() < part))
                (host.HasNewKey, host.IsForged) = (true, true);
        }

        private void Operator(int count)
        {
            var mine = new List<Host>();
            var age = random.Next(Life * 24);
            for (var i = 0; i < count; i++)
            {
                var name = $"h{hosts.Count}.example";
                var host = new Host(name) { Renewed = start.AddHours(-age), Due = start.AddHours(random.Next(24)) };
                mine.Add(host);
                hosts.Add(name, host);
                ledger.Add(name, new Pin(RotationScenario.KeyOf(name), PinSubject.PublicKey, PinState.Active, PinStrength.Person, start));
                ledger.Record(Result(name));
            }

            operators.Add(mine);
        }

        private void Renew()
        {
            // Nobody renews at the week-end, and most do by day; what is late by then waits for Monday.
            if (now.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday)
                return;
            foreach (var mine in operators)
            {
                var over = (now - mine[0].Renewed).TotalDays - (Life - 3);
                if (over < 0 || random.NextDouble() > (now.Hour is >= 8 and < 18 ? 0.03 : 0.004) * (1 + over))
                    continue;
                foreach (var host in mine)
                {
                    (host.HasNewKey, host.Renewed) = (true, now);
                    Renewals++;
                }
            }
        }

        private void Probe(Host host)
        {
            host.Probed = now;
            var isInRenewalTime = (now - host.Renewed).TotalDays > Life * 2.0 / 3;
            host.Due = now.AddHours(isInRenewalTime || host.IsSeen ? 1 : 22 + random.Next(5));
            if (!host.HasNewKey || host.IsSeen)
                return;
            host.IsSeen = true;
            news.Add((host, now));
            ofToday++;
            SetBrake();
            foreach (var key in sample.Draw(NextHop.Parse(host.Name), now).ToList())
            {
                if (hosts[key.Host].Probed != now)
                    Probe(hosts[key.Host]);
            }

            SetBrake();
        }

        private void Promote()
        {
            foreach (var host in hosts.Values.Where(host => host.IsSeen))
            {
                PromotedOfThose += host.IsForged ? 1 : 0;
                (host.HasNewKey, host.IsSeen, host.IsForged) = (false, false, false);
            }
        }

        private void SetBrake()
        {
            if (Brake().IsNews)
                setAt = now;
        }

        private Brake Brake()
        {
            var hour = news.Where(one => one.Since > now.AddHours(-1)).ToList();
            var first = hour.Count == 0 ? now : hour.Min(one => one.Since);
            return new Brake(
                new BrakeCounts
                {
                    PinnedHosts = hosts.Count,
                    NewInHour = hour.Select(one => one.Host).Distinct().Count(),
                    NewInDay = news.Where(one => one.Since > now.AddDays(-1)).Select(one => one.Host).Distinct().Count(),
                    Probed = hour.Count == 0 ? 0 : hosts.Values.Count(host => host.Probed >= first),
                    UsualDay = BrakeCounts.Usual(days, hosts.Count),
                    SetAt = setAt,
                },
                null, now);
        }

        private ProbeResult Result(string name) => new()
        {
            Key = NextHop.Parse(name),
            At = start,
            Resolution = new MxResolution { NextHop = NextHop.Parse(name), At = start, Port = 25, Outcome = DnsOutcome.Found, MxDnssec = DnssecStatus.Secure, Hosts = [] },
            Targets = [new MxTarget("mx." + name, new ProbeTarget(IPAddress.Loopback, hosts.Count + 1), start)],
            SecureSince = null,
            WasSecure = false,
            TrustedHosts = null,
            Result = new RotationResult([], [], DestinationVerdict.Ok, false, true, null),
            NextDue = start,
        };
    }

    private sealed class Host(string name)
    {
        public string Name { get; } = name;

        public DateTimeOffset Renewed { get; set; }

        public DateTimeOffset Due { get; set; }

        public DateTimeOffset Probed { get; set; }

        public bool HasNewKey { get; set; }

        public bool IsSeen { get; set; }

        public bool IsForged { get; set; }
    }
}
