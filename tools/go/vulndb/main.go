// vulndb writes a vulnerability database in Trivy's format from a short JSON file, for worlds without the internet.
//
//	vulndb ADVISORIES.json DIR
//
// makes DIR/trivy.db and DIR/metadata.json. The file holds a list of objects with the keys of advisory below.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/aquasecurity/trivy-db/pkg/db"
	"github.com/aquasecurity/trivy-db/pkg/metadata"
	"github.com/aquasecurity/trivy-db/pkg/types"
	bolt "go.etcd.io/bbolt"
)

type advisory struct {
	ID string `json:"id"`
	// Distribution and release as Trivy names the bucket: "alpine 3.20".
	Release string `json:"release"`
	// The package's origin, which for most packages is its name.
	Package  string `json:"package"`
	Severity string `json:"severity"`
	Title    string `json:"title"`
	// Empty: no fixed version is known.
	Fixed string `json:"fixed"`
}

func main() {
	if len(os.Args) != 3 {
		fail(fmt.Errorf("usage: vulndb ADVISORIES.json DIR"))
	}
	advisories, err := read(os.Args[1])
	fail(err)
	fail(write(advisories, os.Args[2]))
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "vulndb:", err)
		os.Exit(1)
	}
}

func read(path string) ([]advisory, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var advisories []advisory
	return advisories, json.Unmarshal(text, &advisories)
}

func write(advisories []advisory, dir string) error {
	if err := db.Init(dir); err != nil {
		return err
	}
	if err := fill(advisories); err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	now := time.Now().UTC().Truncate(time.Second)
	return metadata.NewClient(dir).Update(metadata.Metadata{
		Version: db.SchemaVersion,
		// Far ahead, so that Trivy never wants a newer one.
		NextUpdate: now.AddDate(10, 0, 0),
		UpdatedAt:  now,
	})
}

func fill(advisories []advisory) error {
	operations := db.Config{}
	return operations.BatchUpdate(func(tx *bolt.Tx) error {
		for _, each := range advisories {
			severity, err := types.NewSeverity(each.Severity)
			if err != nil {
				return fmt.Errorf("%s: %w", each.ID, err)
			}
			source := types.DataSource{ID: "alpine", Name: "the demo's own advisories", URL: "https://slipway.example/advisories"}
			if err := operations.PutDataSource(tx, each.Release, source); err != nil {
				return err
			}
			// Not PutAdvisoryDetail: that is a bucket of the real database's intermediate steps, which scans never read.
			fixed := types.Advisory{FixedVersion: each.Fixed}
			if err := operations.PutAdvisory(tx, []string{each.Release, each.Package}, each.ID, fixed); err != nil {
				return err
			}
			vulnerability := types.Vulnerability{
				Title:          each.Title,
				Severity:       severity.String(),
				VendorSeverity: types.VendorSeverity{"nvd": severity},
			}
			if err := operations.PutVulnerability(tx, each.ID, vulnerability); err != nil {
				return err
			}
		}
		return nil
	})
}
